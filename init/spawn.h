/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - starts the processes of a stage.
 *
 * The child says through a pipe what it could not do; when the program runs, the
 * pipe closes without a word. So the start never holds up anything else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/user.h"

/* The descriptor under which a shell finds a script that is no argument. */
enum { SCRIPT_FD = 8 };

struct spawn {
	/* NULL-terminated. */
	char *const *argv;
	/* Not 0: no program is run, but a wait for this port (port.h). */
	uint16_t port;
	bool is_local;
	/* NULL-terminated. */
	char **environment;
	/* NULL: where init is, which is the image's. */
	const char *workdir;
	/* NULL: stays as init is. */
	const struct user *user;
	/* The terminal that it gets; -1: `in`, `out` and `err`. */
	int tty;
	/* Somebody sits at the terminal: when it goes, SIGHUP is heard. */
	bool is_attended;
	/* -1: nothing is to be read. */
	int in;
	int out;
	int err;
	/* Becomes BR_STEP_FD; -1: none. */
	int control;
	/* Becomes SCRIPT_FD; -1: none. */
	int script;
	/*
	 * A program that is not there, or cannot run, is said on the step's own
	 * stderr, and is status 127 or 126, as a shell has it.
	 */
	bool is_step;
};

enum spawn_stage {
	SPAWN_USER = 1,
	SPAWN_WORKDIR = 2,
	SPAWN_EXEC = 3,
	/* Its session, signals and descriptors. */
	SPAWN_SYSTEM = 4,
};

/* What the child could not do. */
struct spawn_failure {
	enum spawn_stage stage;
	int error;
};

/*
 * Start a process in a session of its own. Gives its pid, and in `*report` the
 * pipe that is read with spawn_result(); the caller closes it. -1: no process
 * could be made, errno says why.
 */
pid_t spawn_start(const struct spawn *spawn, int *report);

/* Read the pipe, which is readable: false where the program runs. */
bool spawn_has_failed(int report, struct spawn_failure *failure);

/*
 * Make a stage's environment: init's own, which is the image's, with `over` on
 * top, the HOME of `user` (NULL: root) where neither says another, and a TERM
 * where it has a terminal and neither says what kind.
 *
 * Ownership: the caller frees the array with free(); the strings are borrowed
 * from both, except HOME, which is written to `home`, and TERM.
 */
char **environment_make(char **own, char **over, const struct user *user,
	bool has_tty, char home[USER_HOME_BYTES + 8]);
