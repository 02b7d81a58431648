/* SPDX-License-Identifier: MIT */
/*
 * replies.h - events as the messages that the original's clients wait for.
 *
 * {"message": ..., "result": ...}: `Starting new build`, `Cloning repository
 * "URL@BRANCH"`, the output, at most one error, `Build Finished`; the result is
 * `Pending` until the last, which has `Pass`, `Fail` or `Error`.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct replies {
	/* For `Cloning repository`; without user and password. */
	char *repo;
	char *branch;
	/* The event whose error was told, which may have to be told again; 0: none. */
	uint64_t error_seq;
};

/* Free what is held. */
void replies_done(struct replies *replies);

/*
 * Add the messages that an event, a line of JSON, stands for to `texts`: each ends in
 * a newline. Most events stand for none.
 */
void replies_make(
	struct replies *replies, struct br_str event, struct br_buf *texts);
