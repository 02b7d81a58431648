/* SPDX-License-Identifier: MIT */
/*
 * tidy.h - mirrors that nobody uses are removed now and then, in a child process.
 *
 * What that takes is the disk's to say, and no job is held up by it but one of the very
 * repository.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/probe.h"

/* Starts out by tidy_init(). */
struct tidy {
	struct probe probe;
	/* When it begins, in monotonic ms. */
	int64_t due_ms;
};

/* Begin, with the first time in a minute. Ownership: tidy_done(). */
void tidy_init(struct tidy *tidy);

/* End it. */
void tidy_done(struct tidy *tidy);

/* Do it as soon as can be: there is no room, or the limits are others. */
void tidy_hurry(struct tidy *tidy);

/* What to poll for input (-1: nothing), and when tidy_work() is due. */
int tidy_fd(const struct tidy *tidy);
int64_t tidy_deadline_ms(const struct tidy *tidy);

/* Begin what is due, and take note of the end of it. */
void tidy_work(struct tidy *tidy, const struct agent_options *options);
