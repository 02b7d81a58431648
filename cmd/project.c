/* SPDX-License-Identifier: MIT */
#include "cmd/project.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
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

	const struct br_plan_names none = { NULL, 0 };
	const struct br_plan_names stages = { options->stages,
		options->stage_count };
	bool is_shell = options->command == COMMAND_SHELL;
	/* What the stage needs may take long, and its files may be there. */
	bool has_only = is_shell && !options->has_needs;
	const struct br_plan_options how = {
		.image = options->image,
		.env = options->env.items,
		.env_count = options->env.count,
		.selection = has_only ? none : stages,
		.only = has_only ? stages : names_of(&options->only),
		.from = names_of(&options->from),
		.skip = names_of(&options->skip),
		.is_shell = is_shell,
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

/* Make the folder that `path` is in absolute. */
static bool find_folder_of(const char *path, char **folder, struct br_err *err)
{
	br_autofree char *above = br_strdup(path);
	char *slash = strrchr(above, '/');
	const char *named = slash == above ? "/" : above;

	if (slash)
		*slash = '\0';
	else
		named = ".";
	*folder = realpath(named, NULL);
	if (*folder)
		return true;
	if (errno == ENOENT || errno == ENOTDIR)
		return br_fail(err, BR_EINPUT, "no directory '%s'", named);
	return br_fail_errno(err, "open directory '%s'", named);
}

bool project_find(
	const struct options *options, char **folder, struct br_err *err)
{
	const char *from = options->path ? options->path : ".";
	br_autofree char *path = NULL;

	if (options->file) {
		path = br_path_join(from, options->file);
	} else if (!br_manifest_find(from, &path, err)) {
		if (err->code != BR_ENOTFOUND)
			return false;
		*err = (struct br_err){ 0 };
		path = br_path_join(from, "none");
	}
	return find_folder_of(path, folder, err);
}
