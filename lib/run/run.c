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
#include "run/caching.h"
#include "run/emit.h"
#include "run/hosts.h"
#include "run/janitor.h"
#include "run/keep.h"
#include "run/reuse.h"
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
	/* How often to look at the clock meanwhile. */
	END_LOOK_MS = 500,
};

/* A build as it goes; lives for one call of br_run(). */
struct build {
	const struct br_plan *plan;
	const struct br_run_options *options;
	int64_t started_us;
	struct br_emitter emitter;
	struct br_stop stop;
	struct br_janitor janitor;
	/* Of the labels, and of the folder that the containers share. */
	char owner[BR_PROCESS_ID_TEXT_BYTES];
	char *private_path;
	struct br_hosts hosts;
	struct br_caching caching;
	struct br_stages stages;
	/* For poll(); grows with the hosts. */
	struct pollfd *waits;
	size_t wait_capacity;
	/* The environment failed; told as a notice. */
	bool has_error;
	/* Containers stay. */
	bool is_kept;
	/* Events came since the sinks were flushed. */
	bool is_flush_due;
};

static double seconds_since(int64_t start_us)
{
	return (double)(br_clock_now_us() - start_us) / 1e6;
}

/* Facts of this machine; they point into `host`. */
static struct br_event_host describe_host(
	const struct build *build, struct utsname *host)
{
	const char *name = build->options->host_name;

	(void)uname(host);
	return (struct br_event_host){
		.name = name ? name : host->nodename,
		.system = host->sysname,
		.release = host->release,
		.machine = host->machine,
	};
}

static void emit_started(struct build *build)
{
	const struct br_plan *plan = build->plan;
	struct utsname host = { 0 };
	br_autofree const char **names =
		br_alloc_array(plan->stage_count, sizeof(*names));

	for (size_t i = 0; i < plan->stage_count; i++)
		names[i] = plan->stages[i].name;

	struct br_event event = {
		.type = BR_EVENT_BUILD_STARTED,
		.build_started = {
			.project = plan->project_dir,
			.manifest = plan->manifest,
			.image = plan->image,
			.stages = { .items = names, .count = plan->stage_count },
			.host = describe_host(build, &host),
			.version = build->options->version,
			.repo = build->options->repo,
			.branch = build->options->branch,
			.commit = build->options->commit,
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

/* What must be there before the engine is asked for anything. */
static bool make_nets(struct build *build, struct br_err *err)
{
	const struct br_run_options *options = build->options;
	struct br_process_id self;

	if (!br_process_self(&self, err))
		return false;
	br_process_id_format(&self, build->owner);

	const struct br_janitor_options janitor = {
		.engine = options->engine,
		.build = options->bus->build,
		.private_dir = build->private_path,
		.self = &self,
	};
	return br_janitor_start(&janitor, &build->janitor, err);
}

static void host_changed(void *ctx, struct br_host *host)
{
	struct build *build = ctx;

	if (host->state == BR_HOST_LOST && host->was_ending)
		(void)fail_build(build, &host->err);
	else
		br_stages_host_changed(&build->stages, host);
}

static void image_known(void *ctx, struct br_host *host)
{
	struct build *build = ctx;

	br_caching_take_image(
		&build->caching, host->image, host->container.digest);
}

static void host_saved(void *ctx, struct br_host *host)
{
	struct build *build = ctx;

	br_reuse_saved(&build->stages, host);
}

static int poll_timeout_ms(const struct build *build)
{
	int64_t deadline_ms = br_stages_deadline_ms(&build->stages);
	int64_t timeout_ms = -1;

	if (!br_shell_is_open(&build->stages.shell))
		deadline_ms = br_clock_earlier(
			deadline_ms, br_bus_tick_ms(build->options->bus));
	if (deadline_ms >= 0) {
		timeout_ms = deadline_ms - br_clock_now_ms();
		if (timeout_ms < 0)
			timeout_ms = 0;
	}
	if (build->is_flush_due)
		timeout_ms = br_clock_earlier(timeout_ms, FLUSH_MS);
	if (br_hosts_are_ending(&build->hosts))
		timeout_ms = br_clock_earlier(timeout_ms, END_LOOK_MS);
	return timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
}

/* Take requests to stop, and tell that the first one was heard. */
static void take_stop(struct build *build)
{
	const char *second = build->options->second_stop;
	bool is_first = build->stop.request_count == 0;

	(void)br_stop_look(&build->stop);
	if (is_first && build->stop.request_count == 1 && second)
		br_emit_notice(&build->emitter, BR_LEVEL_INFO,
			"stopping the build; %s ends buildr at once", second);
}

/* Requests to stop, and output that nobody takes any more. */
static void heed_stop(struct build *build)
{
	if (build->stop.request_count > 0 || build->emitter.has_failed)
		br_stages_stop(&build->stages, BR_STAGE_STOP_CANCELLED);
	else if (build->stop.is_timed_out)
		br_stages_stop(&build->stages, BR_STAGE_STOP_TIMEOUT);
}

/* Wait for the next thing to happen to a container or from outside. */
static bool turn(struct build *build, struct br_err *err)
{
	size_t host_count = br_hosts_poll_count(&build->hosts);
	size_t count = host_count + BR_SHELL_FDS + 1 +
		br_caching_poll_count(&build->caching);

	while (build->wait_capacity < count)
		build->waits = br_grow(build->waits, build->wait_capacity,
			&build->wait_capacity, sizeof(*build->waits));

	struct br_shell *shell = &build->stages.shell;
	struct pollfd *shells = &build->waits[host_count];
	struct pollfd *stop = shells + BR_SHELL_FDS;
	br_hosts_poll(&build->hosts, build->waits);
	br_shell_poll(shell, shells);
	br_caching_poll(&build->caching, stop + 1);
	*stop = (struct pollfd){ .fd = build->stop.fd, .events = POLLIN };

	int ready = poll(build->waits, count, poll_timeout_ms(build));
	if (ready < 0 && errno != EINTR)
		return br_fail_errno(err, "wait for the containers");
	if (ready > 0 && stop->revents)
		take_stop(build);
	/* Where somebody types nothing else is written. */
	if (br_shell_is_open(shell)) {
		build->is_flush_due = false;
	} else if (ready > 0) {
		build->is_flush_due = true;
	} else if (build->is_flush_due) {
		br_emit_flush(&build->emitter);
		build->is_flush_due = false;
	}
	if (ready >= 0) {
		br_shell_work(shell, shells);
		br_hosts_work(&build->hosts, build->waits);
		br_caching_work(&build->caching);
	}
	/* Where somebody types nothing else is written. */
	if (!br_shell_is_open(shell))
		br_emit_tick(&build->emitter);
	return true;
}

/* A second request leaves at once; the nets do the rest. */
static bool must_leave(const struct build *build)
{
	return build->stop.request_count > 1;
}

static void start_stages(struct build *build)
{
	do
		br_stages_start(&build->stages);
	while (br_hosts_open(&build->hosts) ||
		br_caching_deliver(&build->caching));
}

/* Do what has become possible or is due. */
static void go_on(struct build *build)
{
	br_stages_tick(&build->stages);
	heed_stop(build);
	start_stages(build);
	/* The time that somebody spends in it is none of the build's. */
	br_stop_pause(&build->stop, br_shell_is_open(&build->stages.shell));
}

static bool run_stages(struct build *build)
{
	const struct br_stages *stages = &build->stages;
	struct br_err err = { 0 };

	if (stages->shared &&
		br_outlook_shares_container(&build->caching.outlook))
		br_host_want(stages->shared);
	go_on(build);
	/* The build's container may be lost before there is anything to poll. */
	while (!stages->has_lost_shared && !br_stages_are_done(stages)) {
		if (must_leave(build))
			return false;
		if (!turn(build, &err))
			return fail_build(build, &err);
		if (!stages->has_lost_shared)
			go_on(build);
	}
	return !stages->has_lost_shared ||
		fail_build(build, &stages->shared->err);
}

/* Whoever stops a build does not want anything of it. */
static bool must_keep(const struct build *build)
{
	return build->options->is_keep && build->stages.has_failed &&
		build->stop.request_count == 0 && !build->emitter.has_failed;
}

/* Give files back and end the containers. Gives true where all went well. */
static bool end_hosts(struct build *build)
{
	int64_t deadline_ms = br_clock_now_ms() + END_TIMEOUT_MS;
	struct br_err err = { 0 };

	br_hosts_end(&build->hosts, must_keep(build));
	while (br_hosts_are_ending(&build->hosts)) {
		if (must_leave(build))
			return false;
		if (br_clock_now_ms() > deadline_ms)
			(void)br_fail(&err, BR_ETIMEDOUT,
				"no answer from the container in time");
		if (err.code != BR_OK || !turn(build, &err))
			return fail_build(build, &err);
	}
	if (must_keep(build)) {
		build->is_kept = true;
		br_keep_tell(&build->stages, build->options);
	}
	return !build->hosts.is_unclean;
}

/* Find out what need not run. */
static void foresee(struct build *build)
{
	struct br_err err = { 0 };

	while (br_caching_is_forecasting(&build->caching) &&
		!br_stages_are_done(&build->stages)) {
		if (!turn(build, &err)) {
			(void)fail_build(build, &err);
			return;
		}
		heed_stop(build);
	}
}

/* Whether any container is needed. */
static bool has_containers(const struct build *build)
{
	return build->hosts.count > 0 && !build->has_error &&
		!br_stages_are_done(&build->stages) &&
		br_outlook_needs_containers(&build->caching.outlook);
}

/* Run all stages. Gives true where nothing is left of containers. */
static bool run_all(struct build *build, bool is_contained)
{
	struct br_err err = { 0 };
	bool is_up = !build->has_error &&
		(!is_contained || make_nets(build, &err) ||
			fail_build(build, &err));

	if (is_up) {
		br_caching_begin(&build->caching, is_contained);
		if (run_stages(build))
			return end_hosts(build);
	}
	br_stages_abandon(&build->stages,
		build->has_error ? BR_RESULT_ERROR : BR_RESULT_CANCELLED);
	return false;
}

/*
 * What was stored is on its way to the remote cache, and why a stage ran to the store,
 * unless somebody stops the build. Where its time runs out only now, the rest is not sent,
 * and the build is what it was.
 */
static void send_results(struct build *build)
{
	bool was_timed_out = build->stop.is_timed_out;
	struct br_err err = { 0 };

	while (br_caching_is_sending(&build->caching) &&
		build->stop.request_count == 0 && !build->stop.is_timed_out &&
		!build->emitter.has_failed && turn(build, &err))
		continue;
	build->stop.is_timed_out = was_timed_out;
	if (err.code != BR_OK)
		(void)fail_build(build, &err);
}

static struct br_outcome judge(const struct build *build)
{
	if (build->emitter.has_failed)
		return (struct br_outcome){ .result = BR_RESULT_ERROR,
			.exit = EXIT_ENVIRONMENT,
			.is_ours = true };
	if (build->stop.request_count > 0)
		return (struct br_outcome){ .result = BR_RESULT_CANCELLED,
			.exit = EXIT_SIGNAL + build->stop.signal };
	if (build->has_error || build->stages.has_error ||
		build->stages.has_prepare_failed)
		return (struct br_outcome){ .result = BR_RESULT_ERROR,
			.exit = EXIT_ENVIRONMENT,
			.is_ours =
				build->has_error || build->stages.has_error };
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
			.result = stages->runs[i].end.result,
		};

	struct utsname host = { 0 };
	struct br_event event = {
		.type = BR_EVENT_BUILD_FINISHED,
		.build_finished = {
			.result = outcome->result,
			.exit = outcome->exit,
			.seconds = seconds_since(build->started_us),
			.stages = { .items = results, .count = stages->count },
		},
	};
	/* An agent's reports are read by those who do not know where it runs. */
	if (build->options->host_name)
		event.build_finished.host = describe_host(build, &host);
	br_emit(&build->emitter, &event);
	br_emit_flush(&build->emitter);
}

/* How many containers there can be: the build's, and those of their own. */
static size_t count_hosts(const struct br_plan *plan)
{
	size_t count = 1 + plan->service_count;

	for (size_t i = 0; i < plan->stage_count; i++)
		count += plan->stages[i].has_own_image &&
			plan->stages[i].skip == BR_SKIP_NOT;
	return count;
}

static void init_stages(struct build *build)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned jobs = build->options->jobs;
	const struct br_hosts_options hosts = {
		.plan = build->plan,
		.run = build->options,
		.owner = build->owner,
		.private_path = build->private_path,
		.emitter = &build->emitter,
		.ctx = build,
		.changed = host_changed,
		.image_known = image_known,
		.saved = host_saved,
		.looks = &build->caching.looks,
	};
	const struct br_stages_options stages = {
		.plan = build->plan,
		.emitter = &build->emitter,
		.hosts = &build->hosts,
		.caching = &build->caching,
		.cache = build->options->cache,
		.build = build->options->bus->build,
		.jobs = jobs > 0 ? jobs : (unsigned)processors,
		.is_fail_fast = build->options->is_fail_fast,
		.grace_ms = build->options->grace_ms,
		.seat = build->options->seat,
		.is_shell_on_fail = build->options->is_shell_on_fail,
		.is_keep = build->options->is_keep,
	};

	const struct br_caching_options caching = {
		.plan = build->plan,
		.run = build->options,
		.emitter = &build->emitter,
		.handlers = br_reuse_handlers(&build->stages),
	};

	br_hosts_init(&build->hosts, &hosts, count_hosts(build->plan));
	br_stages_init(&build->stages, &stages);
	br_caching_init(&build->caching, &caching);
}

static void run_build(struct build *build)
{
	build->options->engine->cancel_fd = build->stop.fd;
	foresee(build);

	bool is_clean = run_all(build, has_containers(build));
	send_results(build);
	build->options->engine->cancel_fd = -1;
	/* What the janitor removes must not be in use any more. */
	br_hosts_done(&build->hosts);
	/* The janitor does so too, where there is one. */
	(void)br_private_remove(build->private_path);
	if (build->is_kept)
		br_janitor_leave(&build->janitor);
	else
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
		.private_path = br_private_path(options->bus->build),
	};
	struct br_err err = { 0 };

	if (plan->secret_count > 0)
		build.emitter.mask =
			br_mask_new(plan->secrets, plan->secret_count);
	emit_started(&build);
	init_stages(&build);
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
	br_caching_done(&build.caching);
	br_stages_done(&build.stages);
	br_hosts_done(&build.hosts);
	free(build.waits);
	free(build.private_path);
	br_mask_free(build.emitter.mask);
}
