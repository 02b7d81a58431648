/* SPDX-License-Identifier: MIT */
#include "cmd/project.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "cmd/commands.h"

/* The path without the working directory in front, as a user would name it. */
static const char *shown(const char *path)
{
	br_autofree char *here = getcwd(NULL, 0);
	size_t len = here ? strlen(here) : 0;

	if (len > 1 && !strncmp(path, here, len) && path[len] == '/')
		return path + len + 1;
	return path;
}

bool project_load(const struct options *options, struct br_manifest **manifest,
	struct br_diags *diags, struct br_err *err)
{
	const char *folder = options->path ? options->path : ".";
	br_autofree char *path = NULL;

	return br_manifest_locate(folder, options->file, &path, err) &&
		br_manifest_load(path, shown(path), manifest, diags, err);
}

static void print_diags(const struct br_diags *diags)
{
	br_autobuf struct br_buf text = { 0 };

	br_diags_format(diags, &text);
	(void)fputs(br_buf_text(&text), stderr);
}

static bool plan_project(const struct options *options, struct br_diags *diags,
	struct br_plan **plan, struct br_err *err)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;

	if (!project_load(options, &manifest, diags, err))
		return false;
	if (!manifest)
		return true;

	const struct br_plan_options how = {
		.image = options->image,
		.env = options->env,
		.env_count = options->env_count,
		.selection = options->stages,
		.selection_count = options->stage_count,
		.environment = (const char *const *)environ,
		.caller_uid = geteuid(),
		.caller_gid = getegid(),
	};
	return br_plan_build(manifest, &how, diags, plan, err);
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
