/* SPDX-License-Identifier: MIT */
#include "buildr.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clean.h"
#include "cache/prune.h"
#include "cache/store.h"
#include "engine/docker.h"
#include "event/bus.h"
#include "event/json.h"
#include "manifest/manifest.h"
#include "plan/plan.h"
#include "run/run.h"

/* The contract's exit codes for a build that was never begun. */
enum { EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

/* Hands events to the caller as JSON. */
struct caller_sink {
	struct br_sink sink;
	br_build_event_fn *fn;
	void *ctx;
	struct br_buf line;
};

static bool hand_to_caller(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct caller_sink *caller = (struct caller_sink *)self;

	br_buf_clear(&caller->line);
	br_event_format(event, &caller->line);
	return caller->fn(caller->ctx, br_buf_text(&caller->line),
		       caller->line.len) ||
		br_fail(err, BR_ECANCELED, "the caller takes no more events");
}

static bool make_plan(const struct br_build_options *options,
	struct br_diags *diags, struct br_plan **plan, struct br_err *err)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;

	if (!br_manifest_open(
		    options->path, options->file, &manifest, diags, err))
		return false;
	if (!manifest)
		return true;

	const struct br_plan_options how = {
		.image = options->image,
		.env = options->env,
		.env_count = options->env_count,
		.selection = { options->stages, options->stage_count },
		.environment = (const char *const *)environ,
		.caller_uid = geteuid(),
		.caller_gid = getegid(),
	};
	return br_plan_build(manifest, &how, diags, plan, err);
}

static bool run(const struct br_build_options *options,
	const struct br_plan *plan, struct caller_sink *caller,
	struct br_outcome *outcome, struct br_err *err)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	br_autofree char *folder = NULL;
	const struct br_docker_options where = {
		.address = options->docker_sock,
	};
	struct br_cache_options cache = {
		.max_bytes = BR_PRUNE_BYTES,
		.max_age_ms = BR_PRUNE_AGE_MS,
	};
	struct br_bus bus = { .attempt = 1 };
	struct br_err no_folder = { 0 };

	if (!br_docker_open(&where, &engine, err) ||
		!br_uuid_make(bus.build, err))
		return false;
	br_bus_add(&bus, &caller->sink);
	if (!options->has_no_cache && br_store_find_folder(&folder, &no_folder))
		cache.folder = folder;

	const struct br_run_options how = {
		.engine = engine,
		.bus = &bus,
		.version = br_build_version(),
		.cache = &cache,
		.timeout_ms = options->timeout_ms,
		.grace_ms = BR_RUN_GRACE_MS,
		.cancel_fd = options->has_cancel_fd ? options->cancel_fd : -1,
	};
	br_run(plan, &how, outcome);
	return true;
}

static int exit_of(const struct br_err *err)
{
	return err->code == BR_EINPUT || err->code == BR_ENOTFOUND
		? EXIT_USAGE
		: EXIT_ENVIRONMENT;
}

int br_build_run(const struct br_build_options *options, br_build_event_fn *fn,
	void *ctx, char *message, size_t message_size)
{
	br_auto(br_plan) struct br_plan *plan = NULL;
	br_autobuf struct br_buf mistakes = { 0 };
	struct caller_sink caller = {
		.sink = { .handle = hand_to_caller },
		.fn = fn,
		.ctx = ctx,
	};
	struct br_outcome outcome = { .exit = EXIT_USAGE };
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };

	bool is_good = make_plan(options, &diags, &plan, &err);
	if (is_good && !plan)
		br_diags_format(&diags, &mistakes);
	if (is_good && plan)
		is_good = run(options, plan, &caller, &outcome, &err);
	(void)snprintf(message, message_size, "%s",
		is_good ? br_buf_text(&mistakes) : err.text);
	br_diags_done(&diags);
	br_buf_done(&caller.line);
	return is_good ? outcome.exit : exit_of(&err);
}

const char *br_build_version(void)
{
	return BUILDR_VERSION;
}
