/* SPDX-License-Identifier: MIT */
/*
 * shell.h - a shell in the container of a stage, for somebody to type to.
 *
 * It is one more stage of that container's session, with the environment, user and
 * workdir of the build's stage, and there is one at a time. What is typed goes there
 * as it is taken, what comes back goes to the seat, unmasked: it is no part of the
 * build, and nothing of it becomes an event.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>

#include "base/err.h"
#include "event/event.h"
#include "run/attempt.h"
#include "run/seat.h"

/* What br_shell_poll() fills in. */
enum { BR_SHELL_FDS = 2 };

/* Starts out all zero, but for `seat`, which may be NULL: nobody is there. */
struct br_shell {
	const struct br_seat *seat;
	/* In whose container it is; NULL: none is open. */
	struct br_stage_run *run;
	/* Nothing more is typed. */
	bool has_input_ended;
	bool is_stopping;
};

/*
 * Give the words of a stage's shell for somebody to type to, NULL-terminated: without
 * its options, which are for a script.
 *
 * Ownership: the caller frees the array; the words are the stage's.
 */
const char **br_shell_words(const struct br_plan_stage *stage);

/* Open it: `run` has the number that no stage has, and its host is up. */
void br_shell_open(struct br_shell *shell, struct br_stage_run *run);

static inline bool br_shell_is_open(const struct br_shell *shell)
{
	return shell->run != NULL;
}

/* Say whether the stage of that number in a session is the shell. */
bool br_shell_has(const struct br_shell *shell, unsigned number);

/*
 * Hand on what it writes. Where nobody takes it any more it is stopped.
 */
void br_shell_write(
	struct br_shell *shell, enum br_stream stream, struct br_str data);

/* Have it end, with SIGHUP and soon with SIGKILL; its end is told as ever. */
void br_shell_stop(struct br_shell *shell);

/* It has ended, or nothing will be heard of it. Nothing where none is open. */
void br_shell_close(struct br_shell *shell);

/* Fill in what to poll; slots that are not needed get the descriptor -1. */
void br_shell_poll(
	const struct br_shell *shell, struct pollfd waits[BR_SHELL_FDS]);

/* Send what was typed, and the size, after poll(). */
void br_shell_work(
	struct br_shell *shell, const struct pollfd waits[BR_SHELL_FDS]);
