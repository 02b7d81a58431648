/* SPDX-License-Identifier: MIT */
/* cmd_why.c - `buildr why`: what made a stage run again. */
#include <errno.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "cache/store.h"
#include "cmd/commands.h"
#include "cmd/project.h"
#include "cmd/why/why_text.h"
#include "engine/docker.h"
#include "view/only.h"

/* By its own name, or by that of its matrix. */
static bool is_meant(
	const struct options *options, const struct br_plan *plan, size_t stage)
{
	const struct br_plan_stage *planned = &plan->stages[stage];
	const char *group = plan->groups[planned->group].name;

	for (size_t i = 0; i < options->stage_count; i++)
		if (br_only_matches(options->stages[i], planned->name) ||
			br_only_matches(options->stages[i], group))
			return true;
	return false;
}

static void format(const struct options *options, const struct br_why *why,
	struct br_buf *text)
{
	int64_t now_ns = br_clock_wall_us() * 1000;

	for (size_t i = 0; i < why->plan->stage_count; i++) {
		if (!is_meant(options, why->plan, i))
			continue;
		if (options->output == OUTPUT_JSON) {
			why_json_format(why, i, text);
			continue;
		}
		if (text->len > 0)
			br_buf_add_char(text, '\n');
		why_text_format(why, i, now_ns, text);
	}
}

/* Only the address of the engine is asked for: nobody speaks to it. */
static bool find(const struct options *options, const struct br_plan *plan,
	struct br_why *why, struct br_err *err)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	br_autofree char *folder = NULL;
	const struct br_docker_options where = {
		.address = options->docker_sock,
	};

	if (!br_docker_open(&where, &engine, err) ||
		!br_store_find_folder(&folder, err))
		return false;

	const struct br_why_options how = {
		.plan = plan,
		/* Where there is no store yet none is made. */
		.store_folder = access(folder, F_OK) < 0 && errno == ENOENT
			? NULL
			: folder,
		.project = plan->project_dir,
		.engine = br_engine_address(engine),
	};
	return br_why_find(&how, why, err);
}

int cmd_why(const struct options *options)
{
	br_auto(br_plan) struct br_plan *plan = NULL;
	br_autowhy struct br_why why = { 0 };
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };
	int status = project_plan(options, &plan);

	if (!plan)
		return status;
	if (find(options, plan, &why, &err)) {
		format(options, &why, &text);
		if (br_file_write(STDOUT_FILENO, text.data, text.len, &err))
			return STATUS_PASS;
		err.code = BR_ESYSTEM;
	}
	complain(&err);
	return status_of(&err);
}
