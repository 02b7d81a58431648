/* SPDX-License-Identifier: MIT */
/*
 * stages.h - which stage runs when, and how each came out.
 *
 * Knows the plan's graph, tells what happens as events, and never waits: the
 * owner's loop calls it when something came or a time is due. A stage is started as
 * soon as those that it needs have ended as its `when` wants it, its container and
 * services are there, and a job is free; of several the one on the longest path.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "event/event.h"
#include "plan/plan.h"
#include "run/attempt.h"
#include "run/caching.h"
#include "run/emit.h"
#include "run/groups.h"
#include "run/heap.h"
#include "run/hosts.h"
#include "run/services.h"
#include "run/shell.h"

/* Everything that stages need of the run around them; borrowed. */
struct br_stages_options {
	const struct br_plan *plan;
	struct br_emitter *emitter;
	/* To which the stages add theirs. */
	struct br_hosts *hosts;
	struct br_caching *caching;
	/* As in struct br_run_options. */
	const struct br_cache_options *cache;
	const char *build;
	unsigned jobs;
	bool is_fail_fast;
	int64_t grace_ms;
	/* Who gets a shell; NULL: nobody can. */
	const struct br_seat *seat;
	/* In the container of each stage that fails, too. */
	bool is_shell_on_fail;
	/* What a stage that fails ran in is kept (keep.h). */
	bool is_keep;
};

/* Starts out all zero, then br_stages_init(). Private, but for the has_... */
struct br_stages {
	struct br_stages_options options;
	struct br_services_run services;
	/* The build's container; NULL: no stage runs in it. */
	struct br_host *shared;
	/* As the plan's. */
	struct br_stage_run *runs;
	size_t count;
	size_t ended_count;
	struct br_groups groups;
	/* Those that run or wait for their next attempt. */
	struct br_stage_run **active;
	size_t active_count;
	size_t running_count;
	struct br_heap ready;
	struct br_shell shell;
	/* Stages that have failed and have a shell, or wait for one. */
	size_t shell_count;
	/* Of the attempt that was started last. */
	unsigned number;
	/* Containers may have to be opened. */
	bool has_changed;
	/* No further stage is started: the build is being stopped. */
	bool is_closed;
	/* With --fail-fast, after a failure: only what runs after one is started. */
	bool is_failing_fast;
	/* Something failed that fails the build. */
	bool has_failed;
	bool has_prepare_failed;
	/* A stage could not be run for reasons outside the project. */
	bool has_error;
	/* The build's container was lost: `shared->err` says why. */
	bool has_lost_shared;
};

/* Begin: skips what the plan skips. Ownership: br_stages_done(). */
void br_stages_init(
	struct br_stages *stages, const struct br_stages_options *options);

/* Free what `stages` holds. */
void br_stages_done(struct br_stages *stages);

/* A host is up or lost. */
void br_stages_host_changed(struct br_stages *stages, struct br_host *host);

/* Start every stage that can start, and skip those that never will. */
void br_stages_start(struct br_stages *stages);

/* Say whether nothing runs and nothing is still to run. */
bool br_stages_are_done(const struct br_stages *stages);

/* Give the time of the next br_stages_tick(), in monotonic ms; -1: none. */
int64_t br_stages_deadline_ms(const struct br_stages *stages);

/* Do what is due: late output, timeouts of stages, next attempts, services. */
void br_stages_tick(struct br_stages *stages);

/* Stop what runs, and start nothing more. */
void br_stages_stop(struct br_stages *stages, enum br_stage_stop why);

/*
 * End without any session: what runs gets `result` (and reason ENGINE or
 * CANCELLED), what waits is skipped.
 */
void br_stages_abandon(struct br_stages *stages, enum br_result result);

/* A stage has ended for good: release what it had, and tell the others. For after.c. */
void br_stages_end(struct br_stage_run *run, bool is_failure);

/* Give a number that no stage has which runs. For after.c. */
unsigned br_stages_next_number(struct br_stages *stages);

/* A stage is to run: with its container, when a job is free. For reuse.c. */
void br_stages_make_due(struct br_stage_run *run);

/* A stage starts, without a container: its result was found. For reuse.c. */
void br_stages_replay(struct br_stage_run *run);

/* The attempt of `run` has ended, as run->end says. For attempt.c. */
void br_stages_take_end(struct br_stage_run *run);
