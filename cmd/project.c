/* SPDX-License-Identifier: MIT */
#include "cmd/project.h"

#include <stdio.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "log/log.h"

static void print_diags(const struct br_diags *diags)
{
	br_autobuf struct br_buf text = { 0 };

	br_diags_format(diags, &text);
	(void)fputs(br_buf_text(&text), stderr);
}

static struct br_plan_names names_of(const struct option_list *list)
{
	return (struct br_plan_names){ list->items, list->count };
}

static bool plan_project(const struct options *options, struct br_diags *diags,
	struct br_plan **plan, struct br_err *err)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_durations durations = { 0 };
	struct br_arena arena = { 0 };

	if (!br_manifest_open(
		    options->path, options->file, &manifest, diags, err))
		return false;
	if (!manifest)
		return true;
	br_log_durations(manifest->project_dir, &arena, &durations);

	const struct br_plan_options how = {
		.image = options->image,
		.env = options->env.items,
		.env_count = options->env.count,
		.selection = { options->stages, options->stage_count },
		.only = names_of(&options->only),
		.from = names_of(&options->from),
		.skip = names_of(&options->skip),
		.event = options->event,
		.base = options->base,
		.changed = options->changed,
		.durations = &durations,
		.environment = (const char *const *)environ,
		.caller_uid = geteuid(),
		.caller_gid = getegid(),
	};
	bool is_built = br_plan_build(manifest, &how, diags, plan, err);

	br_arena_done(&arena);
	return is_built;
}

int project_plan(const struct options *options, struct br_plan **plan)
{
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };
	int status = STATUS_PASS;

	bool is_read = plan_project(options, &diags, plan, &err);
	print_diags(&diags);
	if (!is_read) {
		complain(&err);
		status = status_of(&err);
	} else if (!*plan) {
		status = STATUS_USAGE;
	}
	br_diags_done(&diags);
	return status;
}
