/* SPDX-License-Identifier: MIT */
/*
 * attempt.h - one stage as it runs, from its start to its end.
 *
 * An attempt is what stands between stage.started and stage.finished: it hands the
 * stage to buildr-init and makes events of what comes back. What the end of an
 * attempt means for the stage and for others is the scheduler's (stages.h), which
 * is told by br_stages_take_end().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "plan/plan.h"
#include "run/hosts.h"
#include "run/output.h"
#include "run/tape.h"
#include "session/session.h"

struct br_stages;

enum br_stage_phase {
	/* For those that it needs. */
	BR_STAGE_WAITING,
	/* It may run, unless the stage cache has its result. */
	BR_STAGE_LOOKED_UP,
	/* It may run, but its container or its services are not there yet. */
	BR_STAGE_DUE,
	/* It runs as soon as a job is free. */
	BR_STAGE_READY,
	BR_STAGE_RUNNING,
	/* Its steps have passed, and its outputs are looked at. */
	BR_STAGE_KEPT,
	/* Until the next attempt. */
	BR_STAGE_DELAYED,
	/* It has failed, and a shell in its container is or will be open. */
	BR_STAGE_SHELL,
	BR_STAGE_ENDED,
};

/* Why a running stage was stopped. */
enum br_stage_stop {
	BR_STAGE_STOP_NONE,
	BR_STAGE_STOP_TIMEOUT,
	BR_STAGE_STOP_CANCELLED,
	/* A service that it uses has failed. */
	BR_STAGE_STOP_SERVICE,
};

/* How an attempt ended. */
struct br_attempt_end {
	enum br_result result;
	enum br_reason reason;
	/* -1: no status is known. */
	int64_t status;
};

/* One stage of the plan as it runs. */
struct br_stage_run {
	const struct br_plan_stage *stage;
	/* Of the stage in the plan. */
	size_t index;
	struct br_stages *owner;
	enum br_stage_phase phase;
	/* Where it runs; NULL: it has no steps. */
	struct br_host *host;
	/* Counts from 1; 0: not yet tried. */
	unsigned attempt;
	/* Of the last attempt, once there was one. */
	struct br_attempt_end end;
	/* Ended, and those that need it may not run. */
	bool is_failure;
	/* The stage cache lacks its result, and may get it. */
	bool is_storable;
	/* Its outputs are not what was stored: to try again until they are is no answer. */
	bool is_refuted;

	/* The session's number of it, or of a shell in its container. */
	unsigned number;

	/* The attempt that runs; private to attempt.c. */
	enum br_stage_stop stop;
	int64_t started_us;
	/* Its timeout, or when the next attempt is due, in monotonic ms; -1. */
	int64_t deadline_ms;
	/* The step that is running or was the last one; 0: none yet. */
	unsigned step;
	bool is_step_running;
	/* Of the last step that ended. */
	struct br_step_report last;
	struct br_output output;
	/* What the steps say, for the stage cache. */
	struct br_tape tape;
};

/* Give the handlers of a session in which stages of `stages` run. */
struct br_session_handlers br_attempt_handlers(struct br_stages *stages);

/* Make a run ready for its first attempt. Ownership: br_attempt_done(). */
void br_attempt_init(struct br_stage_run *run);

/* Free what is held. */
void br_attempt_done(struct br_stage_run *run);

/*
 * Begin the next attempt: stage.started, and the steps. One without steps passes
 * at once. The host is up, or the stage has none; `number` is that of no stage that
 * runs.
 */
void br_attempt_start(struct br_stage_run *run, unsigned number);

/*
 * Send something to run as the stage does: where `how` says nothing of environment,
 * user, workdir and shell, and under the run's number. `variable`, one more
 * NAME=VALUE, may be NULL. The host is up.
 */
void br_attempt_send(const struct br_stage_run *run,
	const struct br_session_stage *how, const char *variable);

/* Begin the next attempt and end it at once: it cannot run. */
void br_attempt_start_failed(
	struct br_stage_run *run, const struct br_attempt_end *end);

/* Begin an attempt that is none: the result of the stage was found. */
void br_attempt_replay(struct br_stage_run *run);

/* The outputs of the attempt were looked at: `is_failure`, they are not as they are to be. */
void br_attempt_end_keeping(struct br_stage_run *run, bool is_failure);

/* Stop the attempt that runs; it ends when buildr-init says so. */
void br_attempt_stop(struct br_stage_run *run, enum br_stage_stop why);

/* End the attempt that runs without buildr-init, which is lost. */
void br_attempt_abandon(
	struct br_stage_run *run, const struct br_attempt_end *end);
