/* SPDX-License-Identifier: MIT */
/* cmd_run.c - `buildr run`: the manifest, from top to bottom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/mask.h"
#include "base/quote.h"
#include "cache/store.h"
#include "cmd/commands.h"
#include "cmd/project.h"
#include "cmd/rerun/rerun_build.h"
#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "cmd/views.h"
#include "engine/docker.h"
#include "event/bus.h"
#include "log/log.h"
#include "run/run.h"
#include "view/junit.h"
#include "view/view.h"

static void add_option(
	struct br_buf *command, const char *name, const char *value)
{
	if (!value)
		return;
	br_buf_addf(command, " %s ", name);
	br_quote_word(value, command);
}

/*
 * How to call buildr again for one stage of the same build. With `run`, since the
 * stage may be called like a command. Variables are left out: they may be secret.
 */
static char *describe_call(const struct options *options)
{
	br_autobuf struct br_buf command = { 0 };

	br_buf_add_text(&command, "buildr run");
	add_option(&command, "-C", options->path);
	add_option(&command, "-f", options->file);
	add_option(&command, "-H", options->docker_sock);
	add_option(&command, "--image", options->image);
	return br_buf_take(&command);
}

/* A copy of `text` without secrets, or NULL. Owned by `arena`. */
static const char *mask(
	const struct br_mask *secrets, const char *text, struct br_arena *arena)
{
	br_autobuf struct br_buf masked = { 0 };

	if (!text)
		return NULL;
	br_mask_text(secrets, br_str(text), &masked);
	return br_arena_strdup(arena, br_buf_text(&masked));
}

static void describe_build(const struct br_plan *plan, const char *command,
	struct br_arena *arena, struct br_log_header *header)
{
	br_auto(br_mask) struct br_mask *secrets =
		br_mask_new(plan->secrets, plan->secret_count);

	*header = (struct br_log_header){
		.branch = mask(secrets, plan->git_branch, arena),
		.commit = mask(secrets, plan->git_commit, arena),
		.command = mask(secrets, command, arena),
	};
}

/*
 * A build needs no log. That there is no home for one is how things are here, and only
 * -v wants to hear it.
 */
static struct br_sink *open_log(const struct options *options,
	const struct br_plan *plan, const char *build, const char *command)
{
	struct br_log_options how = {
		.project_dir = plan->project_dir,
		.build = build,
		.limits = { .builds = (size_t)options->log_builds,
			.size_bytes = options->log_bytes },
	};
	struct br_arena arena = { 0 };
	struct br_sink *log = NULL;
	struct br_err err = { 0 };

	if (how.limits.builds == 0 || how.limits.size_bytes == 0)
		return NULL;
	describe_build(plan, command, &arena, &how.header);
	if (!br_log_open(&how, &log, &err) &&
		(err.code != BR_EUNAVAIL || options->is_verbose))
		(void)fprintf(
			stderr, "buildr: no log of this build: %s\n", err.text);
	br_arena_done(&arena);
	return log;
}

static void close_log(struct br_sink *log)
{
	struct br_err why = { 0 };
	size_t lost = log ? br_log_lost(log, &why) : 0;

	if (lost > 0)
		(void)fprintf(stderr,
			"buildr: %zu event%s of this build %s not in its log: "
			"%s\n",
			lost, lost == 1 ? "" : "s", lost == 1 ? "is" : "are",
			why.text);
	br_log_close(log);
}

/* Without the report that was asked for, a build that passed has not. */
static int close_report(struct br_sink *report, int status)
{
	struct br_err err = { 0 };

	if (br_junit_close(report, &err))
		return status;
	complain(&err);
	return status == STATUS_PASS ? STATUS_ENVIRONMENT : status;
}

/* Where somebody sits who may want to look at what fails; NULL: nowhere. */
static const struct br_seat *open_seat(const struct options *options,
	struct br_sink *view, struct terminal *terminal)
{
	bool is_stdout_ours = options->output != OUTPUT_JSON;
	int fd = is_stdout_ours && isatty(STDOUT_FILENO) ? STDOUT_FILENO
							 : STDERR_FILENO;

	if (!options->is_shell_on_fail)
		return NULL;
	/* Who watches reads the terminal, and has the build end for a change. */
	if (options->is_watched || !isatty(STDIN_FILENO) || !isatty(fd)) {
		(void)fprintf(stderr,
			"buildr: --shell-on-fail needs a terminal%s: no shell "
			"will be opened\n",
			options->is_watched ? " to itself" : "");
		return NULL;
	}
	terminal_open(terminal, fd, view);
	return &terminal->seat;
}

/* Where there is no home for it, each stage runs; only -v wants to hear of that. */
static void choose_cache(const struct options *options, char **folder,
	struct br_cache_options *cache)
{
	struct br_err err = { 0 };

	if (options->is_no_cache)
		return;
	if (!br_store_find_folder(folder, &err) && options->is_verbose)
		(void)fprintf(stderr, "buildr: no stage cache: %s\n", err.text);
	*cache = (struct br_cache_options){
		.folder = *folder,
		.is_verifying = options->is_verify_cache,
		.remote = options->remote_cache,
		.remote_token = options->remote_cache_token,
		.remote_ca_file = options->remote_cache_ca,
		.is_remote_read_only = options->is_remote_cache_read_only,
		.max_bytes = options->cache_bytes,
		.max_age_ms = options->cache_age_ms,
	};
}

static int run_plan(const struct options *options, const struct br_plan *plan,
	struct br_engine *engine, struct br_sink *report)
{
	br_autofree char *command = describe_call(options);
	br_autofree char *cache_folder = NULL;
	struct br_cache_options cache = { 0 };
	br_autobuf struct br_buf gc = { 0 };
	struct br_bus bus = { .attempt = 1 };
	struct br_outcome outcome = { 0 };
	struct br_err err = { 0 };

	br_buf_add_text(&gc, "buildr gc");
	add_option(&gc, "-H", options->docker_sock);
	choose_cache(options, &cache_folder, &cache);
	if (!br_uuid_make(bus.build, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}

	struct br_sink *view = views_make(options, command);
	br_bus_add(&bus, view);

	struct br_sink *log = open_log(options, plan, bus.build, command);
	if (log)
		br_bus_add(&bus, log);
	if (report)
		br_bus_add(&bus, report);

	struct terminal terminal;
	const struct br_seat *seat = open_seat(options, view, &terminal);
	const struct br_run_options how = {
		.engine = engine,
		.bus = &bus,
		.version = BUILDR_VERSION,
		.pull = options->pull,
		.cache = &cache,
		.wire = options->wire,
		.jobs = (unsigned)options->jobs,
		.is_fail_fast = options->is_fail_fast,
		.timeout_ms = options->timeout_ms,
		.grace_ms = options->grace_ms,
		.seat = seat,
		.is_shell_on_fail = seat != NULL,
		.is_keep = options->is_kept,
		.gc_command = br_buf_text(&gc),
		.cancel_fd = signals_catch(options->is_watched),
		.second_stop = "a second Ctrl-C or SIGTERM",
	};
	br_run(plan, &how, &outcome);
	if (seat)
		terminal_close(&terminal);
	if (outcome.sink_failure.code != BR_OK)
		complain(&outcome.sink_failure);
	br_view_free(view);
	close_log(log);
	return outcome.exit;
}

int cmd_run(const struct options *options)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	br_auto(br_plan) struct br_plan *plan = NULL;
	const struct br_docker_options where = {
		.address = options->docker_sock,
	};
	struct br_sink *report = NULL;
	struct br_err err = { 0 };
	int status = project_plan(options, &plan);

	if (!plan)
		return status;
	if (!br_docker_open(&where, &engine, &err) ||
		(options->junit &&
			!br_junit_open(options->junit, &report, &err))) {
		complain(&err);
		return status_of(&err);
	}
	return close_report(report, run_plan(options, plan, engine, report));
}
