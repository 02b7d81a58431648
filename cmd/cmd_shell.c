/* SPDX-License-Identifier: MIT */
/* cmd_shell.c - `buildr shell`: a shell where a stage would run. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "cache/store.h"
#include "cmd/commands.h"
#include "cmd/project.h"
#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "engine/docker.h"
#include "event/bus.h"
#include "run/run.h"
#include "view/view.h"

/*
 * Shows how the shell is made ready, and once it is open only what must be said: the end
 * of a shell is no news to who has ended it.
 */
struct prologue {
	struct br_sink sink;
	/* Borrowed. */
	struct br_sink *view;
	const char *stage;
	bool is_over;
};

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct prologue *prologue = (struct prologue *)self;

	if (event->type == BR_EVENT_STAGE_STARTED &&
		strcmp(event->stage_started.stage, prologue->stage) == 0)
		prologue->is_over = true;
	if (prologue->is_over && event->type != BR_EVENT_NOTICE)
		return true;
	return br_sink_handle(prologue->view, event, err);
}

static bool flush(struct br_sink *self, struct br_err *err)
{
	return br_sink_flush(((struct prologue *)self)->view, err);
}

/* What is not the shell's goes to stderr, so that stdout is its alone. */
static struct br_sink *make_view(const struct options *options)
{
	const struct br_view_options how = {
		.out_fd = STDERR_FILENO,
		.err_fd = STDERR_FILENO,
		.is_verbose = options->is_verbose,
	};

	return options->is_quiet ? br_quiet_new(&how) : br_plain_new(&how);
}

static const char *find_shell(const struct br_plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		if (plan->stages[i].is_shell)
			return plan->stages[i].name;
	return "";
}

/* What is kept of `prepare`, and with --needs of other stages, serves here too. */
static void choose_cache(char **folder, struct br_cache_options *cache)
{
	struct br_err ignored = { 0 };

	(void)!br_store_find_folder(folder, &ignored);
	*cache = (struct br_cache_options){
		.folder = *folder,
		.max_bytes = -1,
		.max_age_ms = -1,
	};
}

static int run_shell(const struct options *options, const struct br_plan *plan,
	struct br_engine *engine)
{
	struct prologue prologue = {
		.sink = { .handle = handle, .flush = flush },
		.stage = find_shell(plan),
	};
	br_autofree char *cache_folder = NULL;
	struct br_cache_options cache = { 0 };
	struct br_bus bus = { .attempt = 1 };
	struct br_outcome outcome = { 0 };
	struct terminal terminal;
	struct br_err err = { 0 };

	choose_cache(&cache_folder, &cache);
	if (!br_uuid_make(bus.build, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}
	prologue.view = make_view(options);
	br_bus_add(&bus, &prologue.sink);
	terminal_open(&terminal, STDOUT_FILENO, prologue.view);

	const struct br_run_options how = {
		.engine = engine,
		.bus = &bus,
		.version = BUILDR_VERSION,
		.pull = options->pull,
		.cache = &cache,
		.wire = options->wire,
		.jobs = (unsigned)options->jobs,
		.grace_ms = options->grace_ms,
		.seat = &terminal.seat,
		.cancel_fd = signals_catch(false),
	};
	br_run(plan, &how, &outcome);
	terminal_close(&terminal);
	if (outcome.sink_failure.code != BR_OK)
		complain(&outcome.sink_failure);
	br_view_free(prologue.view);
	return outcome.exit;
}

int cmd_shell(const struct options *options)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	br_auto(br_plan) struct br_plan *plan = NULL;
	const struct br_docker_options where = {
		.address = options->docker_sock,
	};
	struct br_err err = { 0 };
	int status = project_plan(options, &plan);

	if (!plan)
		return status;
	if (!br_docker_open(&where, &engine, &err)) {
		complain(&err);
		return status_of(&err);
	}
	return run_shell(options, plan, engine);
}
