/* SPDX-License-Identifier: MIT */
#include "cmd/doctor/try_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/uuid.h"
#include "event/bus.h"
#include "manifest/manifest.h"
#include "plan/plan.h"

enum { TRY_MS = 30 * 1000 };

/* Sees what becomes of the container. */
struct witness {
	struct br_sink sink;
	bool is_up;
	/* The first thing that went wrong. */
	char said[400];
};

static bool watch(
	struct br_sink *sink, const struct br_event *event, struct br_err *err)
{
	/* It is the first member. */
	struct witness *witness = (struct witness *)sink;

	(void)err;
	if (event->type == BR_EVENT_CONTAINER_STARTED)
		witness->is_up = true;
	if (event->type == BR_EVENT_NOTICE &&
		event->notice.level == BR_LEVEL_ERROR &&
		witness->said[0] == '\0')
		(void)snprintf(witness->said, sizeof(witness->said), "%s",
			event->notice.text);
	return true;
}

/* For a build of its own, which has nothing to do with the project's. */
static bool save_manifest(
	const char *folder, const char *image, char **path, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };

	br_buf_add_text(&text, "docker: false\nnetwork: none\nimage: ");
	br_json_add_string(&text, br_str(image));
	br_buf_add_text(
		&text, "\nstages: [try]\ntry: {script: [[/.buildr/none]]}\n");
	*path = br_path_join(folder, ".buildr.yml");
	return br_file_save_new(*path, 0600, text.data, text.len, err);
}

static bool make_plan(const char *path, const char *project,
	struct br_plan **plan, struct br_err *err)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	const char *const nothing[] = { NULL };
	const struct br_plan_options how = {
		.environment = nothing,
		.caller_uid = geteuid(),
		.caller_gid = getegid(),
	};
	bool is_made = br_manifest_load(path, path, &manifest, &diags, err) &&
		(!manifest || br_plan_build(manifest, &how, &diags, plan, err));

	br_diags_done(&diags);
	if (!is_made)
		return false;
	if (!*plan)
		return br_fail(err, BR_EINPUT, "the image's name is none");
	if (project)
		(*plan)->project_dir = project;
	return true;
}

static bool run_plan(const struct br_plan *plan, struct br_engine *engine,
	enum br_wire_kind wire, struct br_err *err)
{
	struct witness witness = { .sink = { .handle = watch } };
	struct br_bus bus = { .attempt = 1 };
	struct br_outcome outcome = { 0 };
	const struct br_run_options how = {
		.engine = engine,
		.bus = &bus,
		.version = BUILDR_VERSION,
		.pull = BR_PULL_NEVER,
		.wire = wire,
		.timeout_ms = TRY_MS,
		.cancel_fd = -1,
	};

	if (!br_uuid_make(bus.build, err))
		return false;
	br_bus_add(&bus, &witness.sink);
	br_run(plan, &how, &outcome);
	return witness.is_up ||
		br_fail(err, BR_EUNAVAIL, "%s",
			witness.said[0] != '\0' ? witness.said
						: "it does not come up");
}

bool try_wire(struct br_engine *engine, const char *image, const char *project,
	enum br_wire_kind wire, struct br_err *err)
{
	const char *tmp = getenv("TMPDIR");
	br_autofree char *folder = br_path_join(
		tmp && tmp[0] == '/' ? tmp : "/tmp", "buildr-doctor-XXXXXX");
	br_autofree char *path = NULL;
	br_auto(br_plan) struct br_plan *plan = NULL;

	if (!mkdtemp(folder))
		return br_fail_errno(err, "make the folder '%s'", folder);

	bool is_up = save_manifest(folder, image, &path, err) &&
		make_plan(path, project, &plan, err) &&
		run_plan(plan, engine, wire, err);
	(void)unlink(path);
	(void)rmdir(folder);
	return is_up;
}
