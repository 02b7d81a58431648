/* SPDX-License-Identifier: MIT */
#include "run/stages.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "run/after.h"
#include "run/keep.h"
#include "run/opening.h"
#include "run/reuse.h"
#include "run/verdict.h"

/* A session tells stages apart by 16 bits. */
enum { NUMBER_MAX = UINT16_MAX };

static const struct br_group_run *group_of(const struct br_stage_run *run)
{
	return &run->owner->groups.items[run->stage->group];
}

void br_stages_end(struct br_stage_run *run, bool is_failure)
{
	struct br_stages *stages = run->owner;

	run->phase = BR_STAGE_ENDED;
	run->is_failure = is_failure;
	stages->ended_count++;
	stages->has_changed = true;
	if (is_failure && stages->options.is_keep &&
		run->end.result == BR_RESULT_FAIL)
		br_keep_mark(run);
	if (run->host && run->host != stages->shared)
		br_host_release(run->host);
	for (size_t i = 0; i < run->stage->services.count; i++)
		br_service_leave(
			&stages->services.items[run->stage->services.items[i]]);
	br_groups_end_stage(&stages->groups, run->stage->group, is_failure,
		run->end.result != BR_RESULT_PASS &&
			run->end.result != BR_RESULT_CACHED &&
			run->end.result != BR_RESULT_SKIPPED);
}

static void skip(struct br_stage_run *run, enum br_reason reason)
{
	struct br_event event = {
		.type = BR_EVENT_STAGE_SKIPPED,
		.stage_skipped = { .stage = run->stage->name,
			.reason = reason },
	};

	run->end.result = BR_RESULT_SKIPPED;
	br_emit(run->owner->options.emitter, &event);
	br_stages_end(run, false);
}

/* Somebody who looks around where `prepare` runs wants it not to have run. */
static bool is_kept(
	const struct br_stages *stages, const struct br_plan_stage *stage)
{
	const struct br_cache_options *cache = stages->options.cache;

	return stage->is_prepare && stage->kept_ms > 0 && !stage->is_shell &&
		cache && cache->folder && !cache->is_verifying;
}

/* The container that a stage runs in, which may be a new one. */
static struct br_host *host_for(
	struct br_stages *stages, const struct br_plan_stage *stage)
{
	struct br_hosts *hosts = stages->options.hosts;
	struct br_host *host = stages->shared;

	if (stage->skip != BR_SKIP_NOT ||
		(stage->step_count == 0 && !stage->is_shell))
		return NULL;
	if (stage->has_own_image || !host) {
		host = br_hosts_add(hosts, stage->image, NULL);
		host->handlers = br_attempt_handlers(stages);
	}
	if (!stage->has_own_image)
		stages->shared = host;
	host->may_be_prepared = host->may_be_prepared || is_kept(stages, stage);
	return host;
}

static void init_runs(struct br_stages *stages)
{
	const struct br_plan *plan = stages->options.plan;

	stages->count = plan->stage_count;
	stages->runs = br_alloc_array(stages->count, sizeof(*stages->runs));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers. */
	stages->active = br_alloc_array(stages->count, sizeof(*stages->active));
	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		run->stage = &plan->stages[i];
		run->index = i;
		run->owner = stages;
		br_attempt_init(run);
	}
	/* The build's container comes first: it is the one that stays. */
	for (size_t i = 0; i < stages->count; i++)
		if (!plan->stages[i].has_own_image)
			stages->runs[i].host =
				host_for(stages, &plan->stages[i]);
	for (size_t i = 0; i < stages->count; i++)
		if (plan->stages[i].has_own_image)
			stages->runs[i].host =
				host_for(stages, &plan->stages[i]);
}

/* Go on with a stage whose container or services have changed. */
static void look_again(struct br_stage_run *run);

static void take_service(void *ctx, struct br_service_run *service)
{
	struct br_stages *stages = ctx;
	const struct br_plan_indexes *users = &service->service->users;

	for (size_t i = 0; i < users->count; i++) {
		struct br_stage_run *run = &stages->runs[users->items[i]];

		/* Somebody in a shell may want to know why, and stays. */
		if (run->phase == BR_STAGE_RUNNING && !run->stage->is_shell &&
			service->state == BR_SERVICE_FAILED)
			br_attempt_stop(run, BR_STAGE_STOP_SERVICE);
		else
			look_again(run);
	}
}

void br_stages_init(
	struct br_stages *stages, const struct br_stages_options *options)
{
	const struct br_services_options services = {
		.plan = options->plan,
		.hosts = options->hosts,
		.emitter = options->emitter,
		.ctx = stages,
		.changed = take_service,
	};

	*stages = (struct br_stages){
		.options = *options,
		.shell = { .seat = options->seat },
		.has_changed = true,
	};
	if (stages->options.jobs == 0)
		stages->options.jobs = 1;
	br_groups_init(&stages->groups, options->plan);
	init_runs(stages);
	br_services_init(&stages->services, &services);
	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->stage->skip == BR_SKIP_SELECTION)
			skip(run, BR_REASON_SELECTION);
		else if (run->stage->skip == BR_SKIP_WHEN)
			skip(run, BR_REASON_WHEN);
	}
}

void br_stages_done(struct br_stages *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		br_attempt_done(&stages->runs[i]);
	br_services_done(&stages->services);
	br_heap_done(&stages->ready);
	free(stages->runs);
	br_groups_done(&stages->groups);
	free(stages->active);
	*stages = (struct br_stages){ 0 };
}

/* What the end of a stage means for the build. Gives whether it failed. */
static bool count_result(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;

	switch (run->end.result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
	case BR_RESULT_SKIPPED:
		return false;
	case BR_RESULT_CANCELLED:
		return true;
	case BR_RESULT_ERROR:
		stages->has_error = true;
		break;
	case BR_RESULT_FAIL:
		if (br_verdict_is_allowed(run->stage, &run->end))
			return false;
		if (run->stage->is_prepare)
			stages->has_prepare_failed = true;
		stages->has_failed = true;
		break;
	}
	return true;
}

/* Stop what only runs where all is well; what is to tidy up goes on. */
static void fail_fast(struct br_stages *stages)
{
	stages->is_failing_fast = true;
	for (size_t i = 0; i < stages->active_count; i++) {
		struct br_stage_run *run = stages->active[i];

		if (run->stage->status != BR_WHEN_SUCCESS)
			continue;
		if (run->phase == BR_STAGE_RUNNING)
			br_attempt_stop(run, BR_STAGE_STOP_CANCELLED);
		else if (run->phase == BR_STAGE_DELAYED)
			run->deadline_ms = 0;
	}
	br_groups_wake(&stages->groups);
}

static void drop_active(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;
	size_t i = 0;

	while (i < stages->active_count && stages->active[i] != run)
		i++;
	if (i < stages->active_count)
		stages->active[i] = stages->active[--stages->active_count];
}

/* No further attempt: the last one is the stage's end. */
static void settle(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;
	bool is_failure = count_result(run);

	if (br_verdict_is_allowed(run->stage, &run->end))
		br_emit_notice(stages->options.emitter, BR_LEVEL_INFO,
			"stage '%s' is allowed to fail", run->stage->name);
	drop_active(run);
	if (is_failure && br_after_is_wanted(run))
		br_after_wait(run);
	else
		br_stages_end(run, is_failure);
	if (is_failure && stages->options.is_fail_fast &&
		!stages->is_failing_fast && !stages->is_closed)
		fail_fast(stages);
}

static bool may_retry(const struct br_stage_run *run)
{
	bool is_stopping = run->owner->is_closed ||
		(run->owner->is_failing_fast &&
			run->stage->status == BR_WHEN_SUCCESS);

	return !is_stopping && !run->is_refuted &&
		br_verdict_wants_retry(run->stage, &run->end, run->attempt);
}

/* What the services said may be why the stage failed. */
static void show_services(const struct br_stage_run *run)
{
	for (size_t i = 0; i < run->stage->services.count; i++)
		br_service_show(&run->owner->services
					 .items[run->stage->services.items[i]],
			BR_LEVEL_INFO);
}

void br_stages_take_end(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;

	stages->running_count--;
	if (run->end.result == BR_RESULT_FAIL)
		show_services(run);
	if (!may_retry(run)) {
		settle(run);
		return;
	}
	run->phase = BR_STAGE_DELAYED;
	run->deadline_ms = br_clock_now_ms() + run->stage->retry.delay_ms;
}

/* What keeps a stage from running now. */
enum obstacle {
	OBSTACLE_NONE,
	/* Its container or a service is still to come. */
	OBSTACLE_PENDING,
	OBSTACLE_HOST,
	OBSTACLE_SERVICE,
};

static enum obstacle find_obstacle(
	const struct br_stage_run *run, const struct br_service_run **failed)
{
	enum obstacle obstacle = OBSTACLE_NONE;

	for (size_t i = 0; i < run->stage->services.count; i++) {
		*failed = &run->owner->services
				   .items[run->stage->services.items[i]];
		if ((*failed)->state == BR_SERVICE_FAILED)
			return OBSTACLE_SERVICE;
		if ((*failed)->state != BR_SERVICE_READY)
			obstacle = OBSTACLE_PENDING;
	}
	if (run->host && run->host->state == BR_HOST_LOST)
		return OBSTACLE_HOST;
	if (run->host && run->host->state != BR_HOST_UP)
		obstacle = OBSTACLE_PENDING;
	return obstacle;
}

static void look_again(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;
	const struct br_service_run *failed = NULL;

	if (run->phase != BR_STAGE_DUE ||
		find_obstacle(run, &failed) == OBSTACLE_PENDING)
		return;
	/* One that cannot run fails in its turn. */
	run->phase = BR_STAGE_READY;
	br_heap_add(&stages->ready, run->index, run->stage->path_ms);
}

void br_stages_host_changed(struct br_stages *stages, struct br_host *host)
{
	const struct br_attempt_end lost = {
		.result = BR_RESULT_ERROR,
		.reason = BR_REASON_ENGINE,
		.status = -1,
	};

	if (host->state == BR_HOST_LOST && stages->shell.run &&
		stages->shell.run->host == host)
		br_shell_close(&stages->shell);
	if (host->service) {
		br_services_host_changed(&stages->services, host);
		return;
	}
	if (host->state == BR_HOST_LOST && host == stages->shared) {
		stages->has_lost_shared = true;
		return;
	}
	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->host != host)
			continue;
		if (host->state == BR_HOST_LOST &&
			run->phase == BR_STAGE_RUNNING) {
			br_emit_notice(stages->options.emitter, BR_LEVEL_ERROR,
				"stage '%s': %s", run->stage->name,
				host->err.text);
			br_attempt_abandon(run, &lost);
		} else if (host->state == BR_HOST_LOST &&
			run->phase == BR_STAGE_SHELL) {
			br_after_leave(run, host->err.text);
		} else {
			look_again(run);
		}
	}
}

void br_stages_make_due(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;

	run->phase = BR_STAGE_DUE;
	stages->has_changed = true;
	/* Where the stage cache had let hope for less, it is not open yet. */
	if (run->host && run->host == stages->shared &&
		run->host->state == BR_HOST_CLOSED)
		br_host_want(run->host);
	look_again(run);
}

/* What it needs has come out as it wants: it runs, unless its result is there. */
static void become_due(struct br_stage_run *run)
{
	struct br_caching *caching = run->owner->options.caching;

	if (run->attempt > 0 || !br_caching_has(caching, run->index) ||
		group_of(run)->is_flawed) {
		br_stages_make_due(run);
		return;
	}
	run->phase = BR_STAGE_LOOKED_UP;
	br_caching_look(caching, run->index);
}

/* What only runs for others is not run for nobody. */
static void decide_prepare(struct br_stage_run *run)
{
	const struct br_caching *caching = run->owner->options.caching;

	if (!br_caching_knows_prepare(caching) || run->attempt > 0 ||
		run->phase != BR_STAGE_WAITING)
		return;
	if (br_caching_needs_prepare(caching))
		become_due(run);
	else
		skip(run, BR_REASON_SELECTION);
}

static void decide(struct br_stage_run *run)
{
	const struct br_group_run *group = group_of(run);
	bool has_needs = group->pending_needs == 0;
	bool has_failed = group->has_failed_before;

	/* One that waits to be tried again needs nothing more. */
	if (run->attempt > 0) {
		if (run->owner->is_failing_fast &&
			run->stage->status == BR_WHEN_SUCCESS)
			settle(run);
		return;
	}
	switch (run->stage->status) {
	case BR_WHEN_SUCCESS:
		if (run->owner->is_failing_fast)
			skip(run, BR_REASON_FAIL_FAST);
		else if (has_failed)
			skip(run, BR_REASON_NEEDS);
		else if (has_needs && run->phase == BR_STAGE_WAITING)
			become_due(run);
		return;
	case BR_WHEN_FAILURE:
		if (!has_needs || run->phase != BR_STAGE_WAITING)
			return;
		if (has_failed)
			become_due(run);
		else
			skip(run, BR_REASON_WHEN);
		return;
	case BR_WHEN_ALWAYS:
		if (has_needs && run->phase == BR_STAGE_WAITING)
			become_due(run);
		return;
	}
}

static bool is_undecided(const struct br_stage_run *run)
{
	return run->phase == BR_STAGE_WAITING ||
		run->phase == BR_STAGE_LOOKED_UP ||
		run->phase == BR_STAGE_DUE || run->phase == BR_STAGE_READY;
}

/* Look at every group of which something may have become possible. */
static void work_off_queue(struct br_stages *stages)
{
	const struct br_plan *plan = stages->options.plan;

	size_t index = 0;

	while (br_groups_next(&stages->groups, &index)) {
		const struct br_plan_group *group = &plan->groups[index];

		for (size_t i = 0; i < group->count; i++) {
			struct br_stage_run *run =
				&stages->runs[group->first + i];

			if (stages->is_closed || !is_undecided(run))
				continue;
			if (run->stage->is_prepare)
				decide_prepare(run);
			else
				decide(run);
		}
		br_groups_pass_on(&stages->groups, index);
	}
}

unsigned br_stages_next_number(struct br_stages *stages)
{
	bool is_taken = true;

	while (is_taken) {
		stages->number = stages->number % NUMBER_MAX + 1;
		is_taken = false;
		for (size_t i = 0; i < stages->active_count; i++)
			if (stages->active[i]->number == stages->number)
				is_taken = true;
	}
	return stages->number;
}

void br_stages_replay(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;

	stages->active[stages->active_count++] = run;
	stages->running_count++;
	br_attempt_replay(run);
}

static void start_failed(struct br_stage_run *run, enum obstacle obstacle,
	const struct br_service_run *failed)
{
	struct br_attempt_end why = {
		.result = BR_RESULT_ERROR,
		.reason = BR_REASON_ENGINE,
		.status = -1,
	};

	if (obstacle == OBSTACLE_HOST) {
		br_emit_notice(run->owner->options.emitter, BR_LEVEL_ERROR,
			"stage '%s': %s", run->stage->name,
			run->host->err.text);
	} else if (failed && !failed->is_unavailable) {
		why.result = BR_RESULT_FAIL;
		why.reason = BR_REASON_SERVICE;
	}
	br_attempt_start_failed(run, &why);
}

static void start(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;
	const struct br_service_run *failed = NULL;
	enum obstacle obstacle = find_obstacle(run, &failed);

	/* A service has come to need time again. */
	if (obstacle == OBSTACLE_PENDING) {
		run->phase = BR_STAGE_DUE;
		return;
	}
	/* The next one may be made ready for its turn. */
	stages->has_changed = true;
	stages->active[stages->active_count++] = run;
	stages->running_count++;
	if (obstacle != OBSTACLE_NONE)
		start_failed(run, obstacle, failed);
	else if (!br_reuse_prepared(run))
		br_attempt_start(run, br_stages_next_number(stages));
}

/* The next attempt of a stage is due, with what it lacks opened again. */
static void retry(struct br_stage_run *run)
{
	run->deadline_ms = -1;
	if (run->owner->is_failing_fast &&
		run->stage->status == BR_WHEN_SUCCESS) {
		settle(run);
		return;
	}
	drop_active(run);
	br_opening_renew(run);
	become_due(run);
}

/* Nothing new begins while a shell is open or waited for. */
static bool may_start(const struct br_stages *stages)
{
	return !stages->is_closed && stages->shell_count == 0;
}

void br_stages_start(struct br_stages *stages)
{
	size_t index = 0;

	work_off_queue(stages);
	/* An empty stage passes at once, and makes others ready. */
	while (may_start(stages) &&
		stages->running_count < stages->options.jobs &&
		br_heap_take(&stages->ready, &index)) {
		/* It may have been skipped meanwhile. */
		if (stages->runs[index].phase == BR_STAGE_READY)
			start(&stages->runs[index]);
		work_off_queue(stages);
	}
	if (stages->shell_count > 0)
		br_after_open(stages);
	if (stages->has_changed && may_start(stages))
		br_opening_look(stages);
	if (stages->shell_count == 0)
		stages->has_changed = false;
}

bool br_stages_are_done(const struct br_stages *stages)
{
	return stages->ended_count == stages->count;
}

int64_t br_stages_deadline_ms(const struct br_stages *stages)
{
	int64_t deadline_ms = br_services_deadline_ms(&stages->services);

	for (size_t i = 0; i < stages->active_count; i++) {
		const struct br_stage_run *run = stages->active[i];

		deadline_ms = br_clock_earlier(deadline_ms, run->deadline_ms);
		deadline_ms = br_clock_earlier(
			deadline_ms, br_output_deadline_ms(&run->output));
	}
	return deadline_ms;
}

void br_stages_tick(struct br_stages *stages)
{
	int64_t now_ms = br_clock_now_ms();

	br_services_tick(&stages->services);
	for (size_t i = 0; i < stages->active_count; i++)
		br_output_tick(&stages->active[i]->output, now_ms);
	/* Backwards: one that is due again leaves the list. */
	for (size_t i = stages->active_count; i-- > 0;) {
		struct br_stage_run *run = stages->active[i];

		if (run->deadline_ms < 0 || run->deadline_ms > now_ms)
			continue;
		if (run->phase == BR_STAGE_RUNNING)
			br_attempt_stop(run, BR_STAGE_STOP_TIMEOUT);
		else
			retry(run);
	}
}

/* Nothing more is started; what has been tried keeps its last result. */
static void close_stages(struct br_stages *stages)
{
	stages->is_closed = true;
	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->phase == BR_STAGE_RUNNING ||
			run->phase == BR_STAGE_KEPT ||
			run->phase == BR_STAGE_ENDED ||
			run == stages->shell.run)
			continue;
		if (run->phase == BR_STAGE_SHELL)
			br_after_drop(run);
		else if (run->attempt > 0)
			settle(run);
		else
			skip(run, BR_REASON_FAIL_FAST);
	}
}

void br_stages_stop(struct br_stages *stages, enum br_stage_stop why)
{
	if (!stages->is_closed)
		close_stages(stages);
	/* Backwards: one that ends at once leaves the list. */
	for (size_t i = stages->active_count; i-- > 0;)
		br_attempt_stop(stages->active[i], why);
	br_shell_stop(&stages->shell);
}

void br_stages_abandon(struct br_stages *stages, enum br_result result)
{
	const struct br_attempt_end end_of_all = {
		.result = result,
		.reason = result == BR_RESULT_CANCELLED ? BR_REASON_CANCELLED
							: BR_REASON_ENGINE,
		.status = -1,
	};

	br_shell_close(&stages->shell);
	close_stages(stages);
	while (stages->active_count > 0)
		br_attempt_abandon(
			stages->active[stages->active_count - 1], &end_of_all);
}
