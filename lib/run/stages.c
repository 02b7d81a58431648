/* SPDX-License-Identifier: MIT */
#include "run/stages.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

/* A status that a program cannot give; contract.md: absent. */
enum { NO_STATUS = -1 };

/* What POSIX shells say of a command that is not there or cannot be run. */
enum { STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

static double seconds_since(int64_t start_us)
{
	return (double)(br_clock_now_us() - start_us) / 1e6;
}

static struct br_stage_run *find_run(struct br_stages *stages, const char *name)
{
	for (size_t i = 0; i < stages->count; i++)
		if (!strcmp(stages->runs[i].stage->name, name))
			return &stages->runs[i];
	return NULL;
}

/* The session's number of a stage: from 1. */
static unsigned number_of(const struct br_stage_run *run)
{
	return (unsigned)(run - run->owner->runs) + 1;
}

static void emit_output(void *ctx, enum br_stream stream, struct br_str piece)
{
	struct br_stage_run *run = ctx;
	struct br_event event = {
		.type = BR_EVENT_OUTPUT,
		.output = {
			.stage = run->stage->name,
			.step = run->step,
			.stream = stream,
			.data = piece,
		},
	};

	br_emit(run->owner->options.emitter, &event);
}

static void skip(struct br_stage_run *run, enum br_reason reason)
{
	struct br_event event = {
		.type = BR_EVENT_STAGE_SKIPPED,
		.stage_skipped = { .stage = run->stage->name,
			.reason = reason },
	};

	run->phase = BR_STAGE_ENDED;
	run->result = BR_RESULT_SKIPPED;
	br_emit(run->owner->options.emitter, &event);
}

void br_stages_init(
	struct br_stages *stages, const struct br_stages_options *options)
{
	const struct br_plan *plan = options->plan;

	stages->options = *options;
	stages->count = plan->stage_count;
	stages->runs = br_alloc_array(stages->count, sizeof(*stages->runs));
	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		run->stage = &plan->stages[i];
		run->owner = stages;
		run->deadline_ms = -1;
		br_output_init(
			&run->output, options->emitter->mask, emit_output, run);
		if (run->stage->skip == BR_SKIP_SELECTION)
			skip(run, BR_REASON_SELECTION);
	}
}

void br_stages_done(struct br_stages *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		br_output_done(&stages->runs[i].output);
	free(stages->runs);
	*stages = (struct br_stages){ 0 };
}

void br_stages_attach(struct br_stages *stages, struct br_session *session,
	const char *image_user)
{
	stages->options.session = session;
	stages->options.image_user = image_user;
}

static bool is_allowed(const struct br_allow_failure *allow, int64_t status)
{
	if (allow->is_any)
		return true;
	for (size_t i = 0; i < allow->status_count; i++)
		if (allow->statuses[i] == status)
			return true;
	return false;
}

/* What a stage's end means for the build. */
static void count_result(struct br_stage_run *run, int64_t status)
{
	struct br_stages *stages = run->owner;

	switch (run->result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
	case BR_RESULT_SKIPPED:
	case BR_RESULT_CANCELLED:
		return;
	case BR_RESULT_ERROR:
		stages->has_error = true;
		return;
	case BR_RESULT_FAIL:
		if (run->stage->is_prepare)
			stages->has_prepare_failed = true;
		else if (!is_allowed(&run->stage->allow_failure, status))
			stages->has_failed = true;
		return;
	}
}

static void finish(struct br_stage_run *run, enum br_result result,
	enum br_reason reason, int64_t status)
{
	bool has_passed = result == BR_RESULT_PASS;
	struct br_event event = {
		.type = BR_EVENT_STAGE_FINISHED,
		.stage_finished = {
			.stage = run->stage->name,
			.attempt = 1,
			.result = result,
			.seconds = seconds_since(run->started_us),
			.reason = reason,
			.step = has_passed ? 0 : run->step,
			.status = has_passed ? NO_STATUS : status,
		},
	};

	run->phase = BR_STAGE_ENDED;
	run->result = result;
	run->deadline_ms = -1;
	run->owner->running_count--;
	count_result(run, status);
	br_emit(run->owner->options.emitter, &event);
}

/* A step that began but whose end nobody will tell any more. */
static void drop_step(struct br_stage_run *run)
{
	br_output_flush(&run->output);
	run->is_step_running = false;
}

static bool on_step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = &stages->runs[stage - 1];

	if (step < 1 || step > run->stage->step_count)
		return br_fail(err, BR_EPROTO,
			"buildr-init told of step %u of stage '%s'", step,
			run->stage->name);
	run->step = step;
	run->is_step_running = true;
	run->step_started_us = br_clock_now_us();

	const struct br_plan_step *plan_step = &run->stage->steps[step - 1];
	struct br_event event = {
		.type = BR_EVENT_STEP_STARTED,
		.step_started = {
			.stage = run->stage->name,
			.step = step,
			.command = plan_step->command,
			.line = plan_step->line,
		},
	};
	br_emit(stages->options.emitter, &event);
	return true;
}

static bool on_output(void *ctx, unsigned stage, enum br_output_stream stream,
	const char *data, size_t len, struct br_err *err)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = &stages->runs[stage - 1];

	(void)err;
	br_output_feed(&run->output,
		stream == BR_OUTPUT_STDERR ? BR_STREAM_STDERR
					   : BR_STREAM_STDOUT,
		(struct br_str){ .data = data, .len = len }, br_clock_now_ms());
	return true;
}

static bool on_step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = &stages->runs[stage - 1];
	struct br_event event = {
		.type = BR_EVENT_STEP_FINISHED,
		.step_finished = {
			.stage = run->stage->name,
			.step = report->step,
			.status = report->status,
			.seconds = (double)report->wall_us / 1e6,
			.cpu_seconds = (double)report->cpu_us / 1e6,
			.max_rss = report->max_rss_bytes,
		},
	};

	if (report->step != run->step)
		return br_fail(err, BR_EPROTO,
			"buildr-init ended step %u of stage '%s' in step %u",
			report->step, run->stage->name, run->step);
	drop_step(run);
	run->last = *report;
	br_emit(stages->options.emitter, &event);
	return true;
}

#define NO_SHELL_HELP \
	": name one that the image has with 'shell', or write the steps as " \
	"lists, like [program, argument], which take none"

/* The container cannot do what the stage asks for; say what, in words. */
static void finish_unable(
	struct br_stage_run *run, const struct br_stage_report *report)
{
	struct br_emitter *emitter = run->owner->options.emitter;
	bool has_no_shell = report->failure_kind == BR_FAILURE_NO_SHELL;

	br_emit_notice(emitter, BR_LEVEL_ERROR, "stage '%s': %s%s",
		run->stage->name, report->failure,
		has_no_shell ? NO_SHELL_HELP : "");
	switch (report->failure_kind) {
	case BR_FAILURE_NO_SHELL:
		finish(run, BR_RESULT_FAIL, BR_REASON_STATUS, STATUS_NOT_FOUND);
		return;
	case BR_FAILURE_USER:
	case BR_FAILURE_WORKDIR:
		finish(run, BR_RESULT_FAIL, BR_REASON_STATUS,
			STATUS_CANNOT_RUN);
		return;
	case BR_FAILURE_SYSTEM:
		finish(run, BR_RESULT_ERROR, BR_REASON_ENGINE, NO_STATUS);
		return;
	}
}

static enum br_reason reason_of(const struct br_step_report *last, int status)
{
	if (last->is_oom)
		return BR_REASON_MEMORY;
	if (last->is_signal || status > STATUS_SIGNAL)
		return BR_REASON_SIGNAL;
	return BR_REASON_STATUS;
}

static bool on_stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = &stages->runs[stage - 1];

	if (run->phase != BR_STAGE_RUNNING)
		return br_fail(err, BR_EPROTO,
			"buildr-init ended stage '%s', which is not running",
			run->stage->name);
	drop_step(run);
	if (run->stop == BR_STAGE_STOP_CANCELLED)
		finish(run, BR_RESULT_CANCELLED, BR_REASON_CANCELLED,
			report->status);
	else if (run->stop == BR_STAGE_STOP_TIMEOUT)
		finish(run, BR_RESULT_FAIL, BR_REASON_TIMEOUT, report->status);
	else if (report->failure)
		finish_unable(run, report);
	else if (report->status != 0)
		finish(run, BR_RESULT_FAIL,
			reason_of(&run->last, report->status), report->status);
	else
		finish(run, BR_RESULT_PASS, BR_REASON_NONE, NO_STATUS);
	return true;
}

struct br_session_handlers br_stages_handlers(struct br_stages *stages)
{
	return (struct br_session_handlers){
		.ctx = stages,
		.step_started = on_step_started,
		.output = on_output,
		.step_finished = on_step_finished,
		.stage_finished = on_stage_finished,
	};
}

static const char *user_of(const struct br_stage_run *run)
{
	const char *image_user = run->owner->options.image_user;

	if (run->stage->user)
		return run->stage->user;
	return image_user && image_user[0] != '\0' ? image_user : NULL;
}

/* The plan's environment and what only the run knows. */
static const char **make_environment(
	const struct br_stage_run *run, const char *build_id)
{
	const char *const *planned = run->stage->environment;
	size_t count = 0;

	while (planned[count])
		count++;

	const char **made = br_alloc_array(count + 2, sizeof(*made));
	memcpy(made, planned, count * sizeof(*made));
	made[count] = build_id;
	return made;
}

static void send_stage(struct br_stage_run *run)
{
	const struct br_plan_stage *stage = run->stage;
	br_autofree char *build_id =
		br_format("BUILDR_BUILD_ID=%s", run->owner->options.build);
	br_autofree const char **environment = make_environment(run, build_id);
	br_autofree struct br_session_step *steps =
		br_alloc_array(stage->step_count, sizeof(*steps));

	for (size_t i = 0; i < stage->step_count; i++)
		steps[i] = (struct br_session_step){
			.text = stage->steps[i].text,
			.argv = stage->steps[i].argv,
		};

	const struct br_session_stage what = {
		.steps = steps,
		.step_count = stage->step_count,
		.environment = environment,
		.workdir = stage->workdir,
		.user = user_of(run),
		.is_host_user = stage->is_host_user,
		.shell = stage->shell,
	};
	br_session_start(run->owner->options.session, number_of(run), &what);
}

static void start(struct br_stage_run *run)
{
	struct br_stages *stages = run->owner;
	struct br_event event = {
		.type = BR_EVENT_STAGE_STARTED,
		.stage_started = {
			.stage = run->stage->name,
			.attempt = 1,
			.image = stages->options.plan->image,
			.steps = (int64_t)run->stage->step_count,
		},
	};

	run->phase = BR_STAGE_RUNNING;
	run->started_us = br_clock_now_us();
	if (run->stage->timeout_ms > 0)
		run->deadline_ms = br_clock_now_ms() + run->stage->timeout_ms;
	stages->running_count++;
	br_emit(stages->options.emitter, &event);

	/* Nothing to do needs no container's word. */
	if (run->stage->step_count == 0)
		finish(run, BR_RESULT_PASS, BR_REASON_NONE, NO_STATUS);
	else
		send_stage(run);
}

/* Whether an ended stage holds back those that need it. */
static bool lets_pass(const struct br_stage_run *needed)
{
	switch (needed->result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
		return true;
	case BR_RESULT_FAIL:
		return is_allowed(
			&needed->stage->allow_failure, needed->last.status);
	case BR_RESULT_SKIPPED:
		return needed->stage->skip != BR_SKIP_NOT;
	case BR_RESULT_ERROR:
	case BR_RESULT_CANCELLED:
		return false;
	}
	return false;
}

/* What the stages that one needs say of it. */
enum readiness {
	READY,
	NOT_YET,
	NEVER,
};

static enum readiness look_at_needs(struct br_stage_run *run)
{
	enum readiness readiness = READY;

	for (size_t i = 0; run->stage->needs[i]; i++) {
		const struct br_stage_run *needed =
			find_run(run->owner, run->stage->needs[i]);

		if (!needed)
			continue;
		if (needed->phase != BR_STAGE_ENDED)
			readiness = NOT_YET;
		else if (!lets_pass(needed))
			return NEVER;
	}
	return readiness;
}

static unsigned job_count(const struct br_stages *stages)
{
	return stages->options.jobs > 0 ? stages->options.jobs : 1;
}

/* A stage without steps needs no container to pass. */
static bool may_start(const struct br_stage_run *run)
{
	const struct br_stages *stages = run->owner;

	return !stages->is_closed &&
		stages->running_count < job_count(stages) &&
		(stages->options.session || run->stage->step_count == 0);
}

/* Go over the stages once. Gives true where one was started or skipped. */
static bool start_some(struct br_stages *stages)
{
	bool has_changed = false;

	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->phase != BR_STAGE_WAITING)
			continue;

		enum readiness readiness = look_at_needs(run);
		if (readiness == NEVER)
			skip(run, BR_REASON_NEEDS);
		else if (readiness == READY && may_start(run))
			start(run);
		has_changed = has_changed || run->phase != BR_STAGE_WAITING;
	}
	return has_changed;
}

void br_stages_start(struct br_stages *stages)
{
	/* An empty stage passes at once, and makes others ready. */
	while (start_some(stages))
		continue;
}

bool br_stages_are_done(const struct br_stages *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->runs[i].phase != BR_STAGE_ENDED)
			return false;
	return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b >= 0 && b < a ? b : a;
}

int64_t br_stages_deadline_ms(const struct br_stages *stages)
{
	int64_t deadline_ms = -1;

	for (size_t i = 0; i < stages->count; i++) {
		const struct br_stage_run *run = &stages->runs[i];

		if (run->phase != BR_STAGE_RUNNING)
			continue;
		deadline_ms = earlier(deadline_ms, run->deadline_ms);
		deadline_ms = earlier(
			deadline_ms, br_output_deadline_ms(&run->output));
	}
	return deadline_ms;
}

static void stop(struct br_stage_run *run, enum br_stage_stop why)
{
	if (run->stop != BR_STAGE_STOP_NONE)
		return;
	run->stop = why;
	run->deadline_ms = -1;
	br_session_stop(run->owner->options.session, number_of(run),
		run->owner->options.grace_ms);
}

void br_stages_tick(struct br_stages *stages)
{
	int64_t now_ms = br_clock_now_ms();

	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->phase != BR_STAGE_RUNNING)
			continue;
		br_output_tick(&run->output, now_ms);
		if (run->deadline_ms >= 0 && run->deadline_ms <= now_ms)
			stop(run, BR_STAGE_STOP_TIMEOUT);
	}
}

/* What never ran since the build ended before it. */
static void skip_waiting(struct br_stages *stages)
{
	for (size_t i = 0; i < stages->count; i++)
		if (stages->runs[i].phase == BR_STAGE_WAITING)
			skip(&stages->runs[i], BR_REASON_FAIL_FAST);
}

void br_stages_stop(struct br_stages *stages, enum br_stage_stop why)
{
	stages->is_closed = true;
	for (size_t i = 0; i < stages->count; i++)
		if (stages->runs[i].phase == BR_STAGE_RUNNING)
			stop(&stages->runs[i], why);
	skip_waiting(stages);
}

void br_stages_abandon(struct br_stages *stages, enum br_result result)
{
	enum br_reason reason = result == BR_RESULT_CANCELLED
		? BR_REASON_CANCELLED
		: BR_REASON_ENGINE;

	stages->is_closed = true;
	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (run->phase != BR_STAGE_RUNNING)
			continue;
		drop_step(run);
		finish(run, result, reason, NO_STATUS);
	}
	skip_waiting(stages);
}
