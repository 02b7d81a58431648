/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "run/container.h"
#include "run/emit.h"
#include "run/janitor.h"
#include "run/stages.h"
#include "run/stop.h"
#include "session/private.h"

/* The contract's exit codes. */
enum {
	EXIT_FAIL = 1,
	EXIT_ENVIRONMENT = 3,
	/* And the number of the signal. */
	EXIT_SIGNAL = 128,
};

enum {
	/* How long a view may keep the beginning of a line back. */
	FLUSH_MS = 100,
	/* Giving 100,000 files back takes seconds on a slow disk. */
	END_TIMEOUT_MS = 120 * 1000,
};

/* A build as it goes; lives for one call of br_run(). */
struct build {
	const struct br_plan *plan;
	const struct br_run_options *options;
	int64_t started_us;
	struct br_emitter emitter;
	struct br_stop stop;
	struct br_janitor janitor;
	/* Of the labels, and of the folder that the container shares. */
	char owner[BR_PROCESS_ID_TEXT_BYTES];
	char *private_path;
	struct br_container container;
	struct br_stages stages;
	/* The environment failed; told as a notice. */
	bool has_error;
	/* Events came since the sinks were flushed. */
	bool is_flush_due;
};

static double seconds_since(int64_t start_us)
{
	return (double)(br_clock_now_us() - start_us) / 1e6;
}

static bool has_work(const struct br_plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		if (plan->stages[i].skip == BR_SKIP_NOT &&
			plan->stages[i].step_count > 0)
			return true;
	return false;
}

static void emit_started(struct build *build)
{
	const struct br_plan *plan = build->plan;
	struct utsname host = { 0 };
	br_autofree const char **names =
		br_alloc_array(plan->stage_count, sizeof(*names));

	(void)uname(&host);
	for (size_t i = 0; i < plan->stage_count; i++)
		names[i] = plan->stages[i].name;

	const char *name = build->options->host_name;
	struct br_event event = {
		.type = BR_EVENT_BUILD_STARTED,
		.build_started = {
			.project = plan->project_dir,
			.manifest = plan->manifest,
			.image = plan->image,
			.stages = { .items = names, .count = plan->stage_count },
			.host = {
				.name = name ? name : host.nodename,
				.system = host.sysname,
				.release = host.release,
				.machine = host.machine,
			},
			.version = build->options->version,
		},
	};
	br_emit(&build->emitter, &event);
	for (size_t i = 0; plan->warnings[i]; i++)
		br_emit_notice(&build->emitter, BR_LEVEL_WARNING, "%s",
			plan->warnings[i]);
}

/* Tell an error that ends the build; a request to stop is none. */
static bool fail_build(struct build *build, const struct br_err *err)
{
	(void)br_stop_look(&build->stop);
	if (err->code == BR_ECANCELED && br_stop_is_asked(&build->stop))
		return false;
	build->has_error = true;
	br_emit_notice(&build->emitter, BR_LEVEL_ERROR, "%s", err->text);
	return false;
}

/* Everything until the container is on its way. */
static bool bring_up(struct build *build)
{
	const struct br_run_options *options = build->options;
	struct br_process_id self;
	struct br_err err = { 0 };

	if (!br_process_self(&self, &err))
		return fail_build(build, &err);
	br_process_id_format(&self, build->owner);
	build->private_path = br_private_path(options->bus->build);

	const struct br_janitor_options janitor = {
		.engine = options->engine,
		.build = options->bus->build,
		.private_dir = build->private_path,
		.self = &self,
	};
	const struct br_container_options container = {
		.engine = options->engine,
		.plan = build->plan,
		.image = build->plan->image,
		.pull = options->pull,
		.build = options->bus->build,
		.owner = build->owner,
		.private_path = build->private_path,
		.wire = options->wire,
		.emitter = &build->emitter,
		.handlers = br_stages_handlers(&build->stages),
	};
	if (!br_janitor_start(&janitor, &build->janitor, &err) ||
		!br_container_open(&container, &build->container, &err))
		return fail_build(build, &err);
	return true;
}

static int poll_timeout_ms(const struct build *build)
{
	int64_t deadline_ms = br_stages_deadline_ms(&build->stages);
	int64_t timeout_ms = -1;

	if (deadline_ms >= 0) {
		timeout_ms = deadline_ms - br_clock_now_ms();
		if (timeout_ms < 0)
			timeout_ms = 0;
	}
	if (build->is_flush_due && (timeout_ms < 0 || timeout_ms > FLUSH_MS))
		timeout_ms = FLUSH_MS;
	return timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
}

/* Requests to stop, and output that nobody takes any more. */
static void heed_stop(struct build *build)
{
	if (build->stop.request_count > 0 || build->emitter.has_failed)
		br_stages_stop(&build->stages, BR_STAGE_STOP_CANCELLED);
	else if (build->stop.is_timed_out)
		br_stages_stop(&build->stages, BR_STAGE_STOP_TIMEOUT);
}

/* Say what became of the container, which has stopped talking to us. */
static void explain_loss(struct build *build, struct br_err *err)
{
	struct br_container_state state = { 0 };
	struct br_err ignored = { 0 };

	/* While it was starting, `err` is the engine's own word. */
	if (err->code != BR_EUNAVAIL || !build->container.is_up)
		return;
	if (!br_engine_inspect(build->options->engine, build->container.id,
		    &state, &ignored))
		br_fail(err, BR_EUNAVAIL,
			"the connection to the container was lost, and the "
			"engine does not answer: %s",
			ignored.text);
	else if (state.is_oom_killed)
		br_fail(err, BR_EUNAVAIL,
			"the container was killed: out of memory");
	else if (!state.is_running)
		br_fail(err, BR_EUNAVAIL,
			"the container was ended by something else than this "
			"build");
}

/* Let the container's side work. */
static bool work(struct build *build,
	const struct pollfd waits[BR_CONTAINER_FDS], struct br_err *err)
{
	struct br_container *container = &build->container;
	bool was_up = container->is_up;

	if (!br_container_work(container, waits, err))
		return false;
	if (!was_up && container->is_up)
		br_stages_attach(
			&build->stages, container->session, container->user);
	return true;
}

/* Wait for the next thing to happen and let it. */
static bool turn(struct build *build, struct br_err *err)
{
	struct pollfd waits[BR_CONTAINER_FDS + 1];
	struct pollfd *stop = &waits[BR_CONTAINER_FDS];

	br_container_poll(&build->container, waits);
	*stop = (struct pollfd){ .fd = build->stop.fd, .events = POLLIN };

	int ready = poll(waits, BR_CONTAINER_FDS + 1, poll_timeout_ms(build));
	if (ready < 0 && errno != EINTR)
		return br_fail_errno(err, "wait for the container");
	if (ready > 0 && stop->revents)
		(void)br_stop_look(&build->stop);
	if (ready > 0) {
		build->is_flush_due = true;
		if (!work(build, waits, err))
			return false;
	} else if (build->is_flush_due) {
		br_emit_flush(&build->emitter);
		build->is_flush_due = false;
	}
	br_stages_tick(&build->stages);
	heed_stop(build);
	return true;
}

/* A second request leaves at once; the nets do the rest. */
static bool must_leave(const struct build *build)
{
	return build->stop.request_count > 1;
}

static bool run_stages(struct build *build)
{
	struct br_err err = { 0 };

	heed_stop(build);
	while (!br_stages_are_done(&build->stages)) {
		if (must_leave(build))
			return false;
		if (!turn(build, &err)) {
			explain_loss(build, &err);
			return fail_build(build, &err);
		}
		br_stages_start(&build->stages);
	}
	return true;
}

/* Give files back and end the container. Gives true where all went well. */
static bool end_container(struct build *build)
{
	struct br_err err = { 0 };
	bool is_ended =
		br_session_end(build->container.session, END_TIMEOUT_MS, &err);

	if (!is_ended) {
		explain_loss(build, &err);
		(void)fail_build(build, &err);
	}
	br_container_close(&build->container);
	return is_ended;
}

/* Run what needs a container. Gives true where nothing is left of it. */
static bool run_in_container(struct build *build)
{
	bool is_done = bring_up(build) && run_stages(build);

	if (is_done && build->container.is_up)
		return end_container(build);
	br_stages_abandon(&build->stages,
		build->has_error ? BR_RESULT_ERROR : BR_RESULT_CANCELLED);
	br_container_close(&build->container);
	return false;
}

static struct br_outcome judge(const struct build *build)
{
	if (build->emitter.has_failed)
		return (struct br_outcome){ .result = BR_RESULT_ERROR,
			.exit = EXIT_ENVIRONMENT };
	if (build->stop.request_count > 0)
		return (struct br_outcome){ .result = BR_RESULT_CANCELLED,
			.exit = EXIT_SIGNAL + build->stop.signal };
	if (build->has_error || build->stages.has_error ||
		build->stages.has_prepare_failed)
		return (struct br_outcome){ .result = BR_RESULT_ERROR,
			.exit = EXIT_ENVIRONMENT };
	if (build->stages.has_failed || build->stop.is_timed_out)
		return (struct br_outcome){ .result = BR_RESULT_FAIL,
			.exit = EXIT_FAIL };
	return (struct br_outcome){ .result = BR_RESULT_PASS, .exit = 0 };
}

static void emit_finished(struct build *build, const struct br_outcome *outcome)
{
	const struct br_stages *stages = &build->stages;
	br_autofree struct br_stage_result *results =
		br_alloc_array(stages->count, sizeof(*results));

	for (size_t i = 0; i < stages->count; i++)
		results[i] = (struct br_stage_result){
			.stage = stages->runs[i].stage->name,
			.result = stages->runs[i].result,
		};

	struct br_event event = {
		.type = BR_EVENT_BUILD_FINISHED,
		.build_finished = {
			.result = outcome->result,
			.exit = outcome->exit,
			.seconds = seconds_since(build->started_us),
			.stages = { .items = results, .count = stages->count },
		},
	};
	br_emit(&build->emitter, &event);
	br_emit_flush(&build->emitter);
}

static void start_stages_of(struct build *build)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned jobs = build->options->jobs;
	const struct br_stages_options options = {
		.plan = build->plan,
		.emitter = &build->emitter,
		.build = build->options->bus->build,
		.jobs = jobs > 0 ? jobs : (unsigned)processors,
		.grace_ms = build->options->grace_ms,
	};

	br_stages_init(&build->stages, &options);
}

static void run_build(struct build *build)
{
	bool is_clean = true;

	build->options->engine->cancel_fd = build->stop.fd;
	if (has_work(build->plan))
		is_clean = run_in_container(build);
	else
		br_stages_start(&build->stages);
	build->options->engine->cancel_fd = -1;
	br_janitor_release(&build->janitor, is_clean);
}

void br_run(const struct br_plan *plan, const struct br_run_options *options,
	struct br_outcome *outcome)
{
	struct build build = {
		.plan = plan,
		.options = options,
		.started_us = br_clock_now_us(),
		.emitter = { .bus = options->bus },
		.janitor = { .fd = -1 },
		.container = { .starter = { .fd = -1 },
			.private = { .listen_fd = -1 } },
	};
	struct br_err err = { 0 };

	if (plan->secret_count > 0)
		build.emitter.mask =
			br_mask_new(plan->secrets, plan->secret_count);
	emit_started(&build);
	start_stages_of(&build);
	if (br_stop_open(options->cancel_fd, options->timeout_ms, &build.stop,
		    &err)) {
		run_build(&build);
	} else {
		(void)fail_build(&build, &err);
		br_stages_abandon(&build.stages, BR_RESULT_ERROR);
	}
	*outcome = judge(&build);
	emit_finished(&build, outcome);
	if (build.emitter.has_failed)
		outcome->sink_failure = build.emitter.failure;

	br_stop_close(&build.stop);
	br_stages_done(&build.stages);
	free(build.private_path);
	br_mask_free(build.emitter.mask);
}
