/* SPDX-License-Identifier: MIT */
#include "run/attempt.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "run/after.h"
#include "run/reuse.h"
#include "run/stages.h"

/* A status that a program cannot give; contract.md: absent. */
enum { NO_STATUS = -1 };

/* What POSIX shells say of a command that is not there or cannot be run. */
enum { STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

/* Find the one that runs under `number`; false, with BR_EPROTO: none does. */
static bool find_run(struct br_stages *stages, unsigned number,
	struct br_stage_run **run, struct br_err *err)
{
	for (size_t i = 0; i < stages->active_count; i++) {
		*run = stages->active[i];
		if ((*run)->phase == BR_STAGE_RUNNING &&
			(*run)->number == number)
			return true;
	}
	(void)!br_fail(err, BR_EPROTO,
		"buildr-init told of stage %u, which does not run", number);
	return false;
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

	br_emit_taped(run->owner->options.emitter, &run->tape, &event);
}

void br_attempt_init(struct br_stage_run *run)
{
	run->deadline_ms = -1;
	run->tape = BR_TAPE_CLOSED;
	br_output_init(&run->output, run->owner->options.emitter->mask,
		emit_output, run);
}

void br_attempt_done(struct br_stage_run *run)
{
	br_output_done(&run->output);
	br_tape_close(&run->tape);
}

static void finish(struct br_stage_run *run, enum br_result result,
	enum br_reason reason, int64_t status)
{
	bool has_passed =
		result == BR_RESULT_PASS || result == BR_RESULT_CACHED;
	struct br_event event = {
		.type = BR_EVENT_STAGE_FINISHED,
		.stage_finished = {
			.stage = run->stage->name,
			.attempt = run->attempt,
			.result = result,
			.seconds = (double)(br_clock_now_us() -
					   run->started_us) /
				1e6,
			.reason = reason,
			.step = has_passed || reason == BR_REASON_OUTPUTS
				? 0
				: run->step,
			.status = has_passed ? NO_STATUS : status,
		},
	};

	run->end = (struct br_attempt_end){
		.result = result,
		.reason = reason,
		.status = status,
	};
	run->deadline_ms = -1;
	br_tape_close(&run->tape);
	br_emit(run->owner->options.emitter, &event);
	br_stages_take_end(run);
}

/* A step that began but whose end nobody will tell any more. */
static void drop_step(struct br_stage_run *run)
{
	br_output_flush(&run->output);
	run->is_step_running = false;
}

/* Of a shell nothing becomes an event. */
static bool is_of_shell(const struct br_stages *stages, unsigned number)
{
	return br_shell_has(&stages->shell, number);
}

static bool on_step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	struct br_stage_run *run = NULL;

	if (is_of_shell(ctx, stage))
		return true;
	if (!find_run(ctx, stage, &run, err))
		return false;
	if (step < 1 || step > run->stage->step_count)
		return br_fail(err, BR_EPROTO,
			"buildr-init told of step %u of stage '%s'", step,
			run->stage->name);
	run->step = step;
	run->is_step_running = true;

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
	br_emit_taped(run->owner->options.emitter, &run->tape, &event);
	return true;
}

static bool on_output(void *ctx, unsigned stage, enum br_output_stream stream,
	const char *data, size_t len, struct br_err *err)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = NULL;
	enum br_stream to = stream == BR_OUTPUT_STDERR ? BR_STREAM_STDERR
						       : BR_STREAM_STDOUT;
	const struct br_str piece = { .data = data, .len = len };

	if (is_of_shell(ctx, stage)) {
		br_shell_write(&stages->shell, to, piece);
		return true;
	}
	if (!find_run(ctx, stage, &run, err))
		return false;
	br_output_feed(&run->output, to, piece, br_clock_now_ms());
	return true;
}

static bool on_step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	struct br_stage_run *run = NULL;

	if (is_of_shell(ctx, stage))
		return true;
	if (!find_run(ctx, stage, &run, err))
		return false;
	if (report->step != run->step)
		return br_fail(err, BR_EPROTO,
			"buildr-init ended step %u of stage '%s' in step %u",
			report->step, run->stage->name, run->step);

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
	drop_step(run);
	run->last = *report;
	br_emit_taped(run->owner->options.emitter, &run->tape, &event);
	return true;
}

#define NO_SHELL_HELP ": name one that the image has with 'shell'"
#define NO_SHELL_MORE_HELP \
	", or write the steps as lists, like [program, argument], which take " \
	"none"

/* The container cannot do what the stage asks for; say what, in words. */
static void finish_unable(
	struct br_stage_run *run, const struct br_stage_report *report)
{
	struct br_emitter *emitter = run->owner->options.emitter;
	bool has_no_shell = report->failure_kind == BR_FAILURE_NO_SHELL;

	br_emit_notice(emitter, BR_LEVEL_ERROR, "stage '%s': %s%s%s",
		run->stage->name, report->failure,
		has_no_shell ? NO_SHELL_HELP : "",
		has_no_shell && !run->stage->is_shell ? NO_SHELL_MORE_HELP
						      : "");
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

/* One that nobody stopped. */
static void finish_by_itself(
	struct br_stage_run *run, const struct br_stage_report *report)
{
	if (report->failure)
		finish_unable(run, report);
	else if (report->status != 0)
		finish(run, BR_RESULT_FAIL,
			reason_of(&run->last, report->status), report->status);
	else if (!br_reuse_keep(run))
		finish(run, BR_RESULT_PASS, BR_REASON_NONE, NO_STATUS);
}

static void finish_stopped(struct br_stage_run *run, int64_t status)
{
	switch (run->stop) {
	case BR_STAGE_STOP_NONE:
		return;
	case BR_STAGE_STOP_TIMEOUT:
		finish(run, BR_RESULT_FAIL, BR_REASON_TIMEOUT, status);
		return;
	case BR_STAGE_STOP_CANCELLED:
		finish(run, BR_RESULT_CANCELLED, BR_REASON_CANCELLED, status);
		return;
	case BR_STAGE_STOP_SERVICE:
		finish(run, BR_RESULT_FAIL, BR_REASON_SERVICE, status);
		return;
	}
}

void br_attempt_end_keeping(struct br_stage_run *run, bool is_failure)
{
	if (is_failure)
		finish(run, BR_RESULT_FAIL, BR_REASON_OUTPUTS, NO_STATUS);
	else
		finish(run, BR_RESULT_PASS, BR_REASON_NONE, NO_STATUS);
}

static bool on_stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = NULL;

	if (is_of_shell(ctx, stage)) {
		run = stages->shell.run;
		br_shell_close(&stages->shell);
		/* One after a failure. Else it is what the stage runs. */
		if (run->phase == BR_STAGE_SHELL) {
			br_after_leave(run, report->failure);
			return true;
		}
	}
	if (!find_run(ctx, stage, &run, err))
		return false;
	drop_step(run);
	if (run->stop == BR_STAGE_STOP_NONE)
		finish_by_itself(run, report);
	else
		finish_stopped(run, report->status);
	return true;
}

struct br_session_handlers br_attempt_handlers(struct br_stages *stages)
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
	const char *image_user = run->host->container.user;

	if (run->stage->user)
		return run->stage->user;
	return image_user && image_user[0] != '\0' ? image_user : NULL;
}

/* The plan's environment and what only the run knows. */
static const char **make_environment(const struct br_stage_run *run,
	const char *build_id, const char *variable)
{
	const char *const *planned = run->stage->environment;
	size_t count = 0;

	while (planned[count])
		count++;

	const char **made = br_alloc_array(count + 3, sizeof(*made));
	memcpy(made, planned, count * sizeof(*made));
	made[count] = build_id;
	made[count + 1] = variable;
	return made;
}

void br_attempt_send(const struct br_stage_run *run,
	const struct br_session_stage *how, const char *variable)
{
	const struct br_plan_stage *stage = run->stage;
	br_autofree char *build_id =
		br_format("BUILDR_BUILD_ID=%s", run->owner->options.build);
	br_autofree const char **environment =
		make_environment(run, build_id, variable);
	struct br_session_stage what = *how;

	what.environment = environment;
	what.workdir = stage->workdir;
	what.user = user_of(run);
	what.is_host_user = stage->is_host_user;
	what.shell = stage->shell;
	br_session_start(run->host->container.session, run->number, &what);
}

static void send_stage(const struct br_stage_run *run)
{
	const struct br_plan_stage *stage = run->stage;
	br_autofree struct br_session_step *steps =
		br_alloc_array(stage->step_count, sizeof(*steps));

	for (size_t i = 0; i < stage->step_count; i++)
		steps[i] = (struct br_session_step){
			.text = stage->steps[i].text,
			.argv = stage->steps[i].argv,
		};

	const struct br_session_stage how = {
		.steps = steps,
		.step_count = stage->step_count,
		.has_tty = stage->has_tty,
	};
	br_attempt_send(run, &how, NULL);
}

/* The next attempt, of which nothing has happened yet. */
static void begin(struct br_stage_run *run)
{
	run->attempt++;
	run->phase = BR_STAGE_RUNNING;
	run->stop = BR_STAGE_STOP_NONE;
	run->step = 0;
	run->is_step_running = false;
	run->last = (struct br_step_report){ 0 };
	run->started_us = br_clock_now_us();
	run->deadline_ms = -1;

	struct br_event event = {
		.type = BR_EVENT_STAGE_STARTED,
		.stage_started = {
			.stage = run->stage->name,
			.attempt = run->attempt,
			.image = run->stage->image,
			.steps = (int64_t)run->stage->step_count,
		},
	};
	br_emit(run->owner->options.emitter, &event);
}

void br_attempt_replay(struct br_stage_run *run)
{
	begin(run);
	/* Of `prepare` only what it left in its container is kept. */
	if (!run->stage->is_prepare)
		br_caching_play(run->owner->options.caching, run->index);
	finish(run, BR_RESULT_CACHED, BR_REASON_NONE, NO_STATUS);
}

void br_attempt_start(struct br_stage_run *run, unsigned number)
{
	run->number = number;
	begin(run);
	if (run->is_storable)
		br_caching_record(run->owner->options.caching, &run->tape);
	if (run->stage->timeout_ms > 0)
		run->deadline_ms = br_clock_now_ms() + run->stage->timeout_ms;
	if (run->stage->is_shell)
		br_shell_open(&run->owner->shell, run);
	/* Nothing to do needs no container's word. */
	else if (run->stage->step_count == 0)
		finish(run, BR_RESULT_PASS, BR_REASON_NONE, NO_STATUS);
	else
		send_stage(run);
}

void br_attempt_start_failed(
	struct br_stage_run *run, const struct br_attempt_end *end)
{
	begin(run);
	finish(run, end->result, end->reason, end->status);
}

void br_attempt_stop(struct br_stage_run *run, enum br_stage_stop why)
{
	if (run->stop != BR_STAGE_STOP_NONE)
		return;
	run->stop = why;
	run->deadline_ms = -1;
	/* What was found of its outputs does not matter any more. */
	if (run->phase == BR_STAGE_KEPT) {
		if (run->host)
			br_container_drop_save(&run->host->container);
		finish_stopped(run, NO_STATUS);
		return;
	}
	if (run->stage->is_shell) {
		br_shell_stop(&run->owner->shell);
		return;
	}
	/* Of a host that is lost its owner is about to be told. */
	if (run->host->state == BR_HOST_UP)
		br_session_stop(run->host->container.session, run->number,
			run->owner->options.grace_ms);
}

void br_attempt_abandon(
	struct br_stage_run *run, const struct br_attempt_end *end)
{
	if (run->owner->shell.run == run)
		br_shell_close(&run->owner->shell);
	drop_step(run);
	finish(run, end->result, end->reason, end->status);
}
