/* SPDX-License-Identifier: MIT */
/*
 * stages.h - which stage runs when, and how each came out.
 *
 * Knows the plan's graph and the session, tells what happens as events, and never
 * waits: the owner's loop calls it when something came or a time is due. A stage
 * is started as soon as the stages that it needs have passed and a job is free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "event/event.h"
#include "plan/plan.h"
#include "run/emit.h"
#include "run/output.h"
#include "session/session.h"

enum br_stage_phase {
	BR_STAGE_WAITING,
	BR_STAGE_RUNNING,
	BR_STAGE_ENDED,
};

/* Why a running stage was stopped. */
enum br_stage_stop {
	BR_STAGE_STOP_NONE,
	BR_STAGE_STOP_TIMEOUT,
	BR_STAGE_STOP_CANCELLED,
};

/* One stage of the plan as it runs. Private. */
struct br_stage_run {
	const struct br_plan_stage *stage;
	enum br_stage_phase phase;
	enum br_result result;
	enum br_stage_stop stop;
	int64_t started_us;
	/* Milliseconds of the monotonic clock; -1: none. */
	int64_t deadline_ms;
	/* The step that is running or was the last one; 0: none yet. */
	unsigned step;
	int64_t step_started_us;
	bool is_step_running;
	/* Of the last step that ended. */
	struct br_step_report last;
	struct br_output output;
	/* The owner, for callbacks. */
	struct br_stages *owner;
};

/* Everything that stages need of the run around them; borrowed. */
struct br_stages_options {
	const struct br_plan *plan;
	struct br_emitter *emitter;
	/* Of the container; NULL when there is none. */
	struct br_session *session;
	/* The image's user, for stages that name none; "" or NULL: root. */
	const char *image_user;
	const char *build;
	unsigned jobs;
	int64_t grace_ms;
};

/* Starts out all zero, then br_stages_init(). */
struct br_stages {
	struct br_stages_options options;
	struct br_stage_run *runs;
	size_t count;
	size_t running_count;
	/* No further stage is started: the build is being stopped. */
	bool is_closed;
	/* Something failed that fails the build. */
	bool has_failed;
	bool has_prepare_failed;
	/* A stage could not be run for reasons outside the project. */
	bool has_error;
};

/* Begin: skips what the plan skips. Ownership: br_stages_done(). */
void br_stages_init(
	struct br_stages *stages, const struct br_stages_options *options);

/* Free what `stages` holds. */
void br_stages_done(struct br_stages *stages);

/* Give the handlers for the session whose stages these are. */
struct br_session_handlers br_stages_handlers(struct br_stages *stages);

/* Set what is known only once the container runs. Borrowed. */
void br_stages_attach(struct br_stages *stages, struct br_session *session,
	const char *image_user);

/* Start every stage that can start, and skip those that never will. */
void br_stages_start(struct br_stages *stages);

/* Say whether anything runs or is still to run. */
bool br_stages_are_done(const struct br_stages *stages);

/* Give the time of the next br_stages_tick(), in monotonic ms; -1: none. */
int64_t br_stages_deadline_ms(const struct br_stages *stages);

/* Do what is due: late output, timeouts of stages. */
void br_stages_tick(struct br_stages *stages);

/* Stop what runs, and start nothing more. */
void br_stages_stop(struct br_stages *stages, enum br_stage_stop why);

/*
 * End without the session: what runs gets `result` (and reason ENGINE or
 * CANCELLED), what waits is skipped.
 */
void br_stages_abandon(struct br_stages *stages, enum br_result result);
