/* SPDX-License-Identifier: MIT */
/*
 * stage.h - a stage in the container: one shell, and the steps in order.
 *
 * The shell runs a script that announces each of its steps on descriptor 9 and
 * waits there for a line of answer. So a step is over when the shell announces
 * the next one (or ends), all output that is in the pipes by then is its, and
 * nothing of the next one is there before the answer. Exec-form steps are run by
 * init itself: those between two shell steps before the answer, those in front
 * before the shell is started, those behind after it has announced 0, its end.
 *
 * steps.c goes through the steps, stop.c stops them, report.c tells about them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/child.h"
#include "init/control.h"
#include "init/input.h"
#include "init/output.h"
#include "init/poller.h"
#include "init/procs.h"
#include "init/protocol.h"
#include "init/spec.h"
#include "init/user.h"
#include "init/wire.h"

enum stage_phase {
	STAGE_STARTING,
	STAGE_RUNNING,
	STAGE_LEAVING,
	STAGE_DRAINING,
	STAGE_OVER,
};

/* The step that a stage is at. */
struct step_run {
	int status;
	bool is_signal;
	int64_t start_us;
	int64_t end_us;
	/* What the shell had used before it, and what the step used. */
	int64_t cpu_before_us;
	int64_t cpu_us;
	int64_t max_rss_bytes;
	int64_t oom_kills_before;
};

/* A stage that is being stopped; all zero: it is not. */
struct stop {
	bool is_stopping;
	int64_t kill_at_us;
	/* SIGKILL was sent; after this moment nobody is waited for. */
	bool is_killed;
	int64_t give_up_us;
	int64_t check_at_us;
	/* Who was a member when last looked. */
	struct procs members;
};

struct stage {
	uint16_t number;
	enum stage_phase phase;
	/* Borrowed. */
	struct wire *wire;
	/* `spec` points into `payload`. Owned. */
	struct stage_spec spec;
	uint8_t *payload;
	struct user user;
	/* Owned, except for the strings. */
	char **environment;
	char home[USER_HOME_BYTES + 8];

	struct output output;
	struct input input;
	struct control control;

	struct child shell;
	struct child exec;
	/* Every process that was started leads one. Owned. */
	pid_t *sessions;
	size_t session_count;
	size_t session_capacity;

	/* Index of the step that the stage is at. */
	size_t step;
	struct step_run run;
	/* The shell has announced a step and waits for the answer. */
	bool is_shell_waiting;
	/* It has announced its end: it did not leave by `exit`. */
	bool has_shell_finished;
	struct stop stop;
};

/*
 * Start a stage. `own` is init's environment. It may be over at once.
 *
 * Ownership: takes `*payload` and the insides of `spec`; the caller frees the
 * stage with stage_free(). `wire` and `own` are borrowed until then.
 */
struct stage *stage_new(uint16_t number, const struct stage_spec *spec,
	uint8_t **payload, struct wire *wire, char **own);

/* Free it; what it wrote to is closed, unless it was left to somebody. */
void stage_free(struct stage *stage);

/* Take bytes that it is to read; false: it was not to be sent these. */
bool stage_feed(struct stage *stage, const uint8_t *data, size_t len);

/* Its terminal has another size. */
void stage_resize(struct stage *stage, uint16_t columns, uint16_t rows);

/* Leave its processes alone, and what they write to those who drop it. */
void stage_abandon(struct stage *stage, struct leftovers *leftovers);

/* Say what the stage waits for. */
void stage_poll(struct stage *stage, struct poller *poller);

/* Do what can be done now that the poller has waited. */
void stage_work(struct stage *stage, const struct poller *poller);

/* Take note of the end of a process; false: it is not one of this stage. */
bool stage_reap(struct stage *stage, pid_t pid, int wait_status,
	const struct rusage *usage);

/* Take a look at the memory of the stage's processes, and at its terminals. */
void stage_sample(struct stage *stage, struct procs *procs);

static inline bool stage_has_step(const struct stage *stage)
{
	return stage->phase == STAGE_RUNNING;
}

/*
 * What the files of a stage ask of each other.
 */

/* End it: `failure` where it could not be run, else NULL. */
void stage_finish(struct stage *stage, int status, const char *failure,
	enum br_failure_kind kind);

/* End it because `what` could not be done; errno says why. */
void stage_fail(struct stage *stage, const char *what);

/* The step is over, as soon as nobody is waited for any more. */
void stage_leave(struct stage *stage);

/* Stop the stage: SIGTERM now, SIGKILL after `grace_ms`. */
void stop_begin(struct stage *stage, uint64_t grace_ms);

/* Look after a stop that is under way, when it is time. */
void stop_work(struct stage *stage);

/* Say whether those who are to be gone are, or are no longer waited for. */
bool stop_is_done(const struct stage *stage);
