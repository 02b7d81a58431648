/* SPDX-License-Identifier: MIT */
/*
 * control.h - what is said to all agents at once, over the exchange `buildr.control`.
 *
 * The routing key says what it is:
 *
 *	cancel  {"build": "<id>"}: whoever has this build stops it.
 *	job     a job, for every agent that has its labels: each builds it under an id
 *	        of its own, and answers {"agent": "<name>", "build": "<id>",
 *	        "queue": "<its queue here>"} to `reply_to`.
 *
 * Each agent hears it through a queue of its own, which is gone with its connection:
 * an agent that is not there misses it.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"

#define CONTROL_CANCEL "cancel"
#define CONTROL_JOB "job"

/* An answer to a `job`. */
struct control_answer {
	const char *agent;
	/* There as long as the agent's connection; "": not told. */
	const char *queue;
	char build[BR_UUID_TEXT_BYTES];
};

/* Add the body of a `cancel`. */
void control_format_cancel(const char *build, struct br_buf *body);

/*
 * Read the body of a `cancel`: the build, in lower case.
 *
 * Fails with BR_EINPUT.
 */
bool control_parse_cancel(struct br_str body, char build[BR_UUID_TEXT_BYTES],
	struct br_err *err) BR_MUST_CHECK;

/* Add an answer. */
void control_format_answer(
	const struct control_answer *answer, struct br_buf *body);

/*
 * Read an answer.
 *
 * Ownership: its texts live in `arena`. Fails with BR_EINPUT.
 */
bool control_parse_answer(struct br_str body, struct br_arena *arena,
	struct control_answer *answer, struct br_err *err) BR_MUST_CHECK;
