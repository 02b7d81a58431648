/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/mask.h"
#include "base/quote.h"
#include "plan/environ.h"
#include "plan/git.h"
#include "plan/graph.h"
#include "plan/image.h"
#include "plan/notes.h"
#include "plan/paths.h"
#include "plan/select.h"
#include "plan/services.h"
#include "plan/shell.h"
#include "plan/when.h"

static const char default_image[] = "ubuntu:latest";
/* A build that nobody else asked for. */
static const char default_event[] = "manual";

/* What building a plan needs besides its parts. */
struct building {
	const struct br_manifest *manifest;
	const struct br_plan_options *options;
	struct br_plan *plan;
	struct br_notes notes;
	struct br_environ environment;
	struct br_git git;
	struct br_changes changes;
	struct br_when_facts facts;
	/* For what people see; not for what runs. */
	struct br_mask *mask;
};

void br_plan_free(struct br_plan *plan)
{
	if (!plan)
		return;
	br_arena_done(&plan->arena);
	free(plan);
}

static bool check_image(const char *image, struct br_err *err)
{
	const char *mistake = br_image_mistake(image);

	return !mistake ||
		br_fail(err, BR_EINPUT, "'%s' is no name of an image: %s",
			image, mistake);
}

/* Where the manifest names none: the default, if any stage would take it. */
static const char *fall_back(
	struct building *building, const struct br_choices *choices)
{
	const char *own = NULL;

	for (size_t i = 0; i < choices->count; i++) {
		const struct br_choice *choice = &choices->items[i];

		if (choice->skip != BR_SKIP_NOT)
			continue;
		if (!choice->stage->image) {
			br_notes_add(&building->notes,
				"%s names no image: %s is used",
				building->manifest->file, default_image);
			return default_image;
		}
		own = own ? own : choice->stage->image;
	}
	return own ? own : default_image;
}

static bool choose_image(struct building *building,
	const struct br_choices *choices, struct br_err *err)
{
	const char *image = building->options->image;

	if (!image)
		image = building->manifest->image;
	if (!image)
		image = fall_back(building, choices);
	building->plan->image = br_arena_strdup(&building->plan->arena, image);
	return check_image(image, err);
}

/* Drop `.`, `..` and double slashes; `..` stops at the root. */
static const char *normalise(struct br_arena *arena, const char *path)
{
	char *clean = br_arena_alloc(arena, strlen(path) + 2);
	size_t len = 0;

	while (*path != '\0') {
		size_t part = strcspn(path, "/");
		bool is_up = part == 2 && path[0] == '.' && path[1] == '.';
		bool is_here = part == 1 && path[0] == '.';

		if (is_up) {
			while (len > 0 && clean[--len] != '/')
				continue;
		} else if (part > 0 && !is_here) {
			clean[len++] = '/';
			memcpy(clean + len, path, part);
			len += part;
		}
		path += part + (path[part] == '/' ? 1 : 0);
	}
	if (len == 0)
		clean[len++] = '/';
	clean[len] = '\0';
	return clean;
}

static const char *choose_workdir(struct br_arena *arena, const char *workdir)
{
	if (!workdir)
		return BR_PLAN_PROJECT_MOUNT;
	if (workdir[0] == '/')
		return normalise(arena, workdir);
	return normalise(arena,
		br_arena_format(
			arena, "%s/%s", BR_PLAN_PROJECT_MOUNT, workdir));
}

static bool is_host(const char *user)
{
	return user && strcmp(user, "host") == 0;
}

static const char *choose_user(
	const struct building *building, const char *user)
{
	const struct br_plan_options *options = building->options;
	struct br_arena *arena = &building->plan->arena;

	if (!user)
		return NULL;
	if (is_host(user))
		return br_arena_format(arena, "%ju:%ju",
			(uintmax_t)options->caller_uid,
			(uintmax_t)options->caller_gid);
	return br_arena_strdup(arena, user);
}

static const char *const *copy_argv(
	struct br_arena *arena, const char *const *argv)
{
	size_t count = 0;

	while (argv[count])
		count++;

	const char **copy = br_arena_array(arena, count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = br_arena_strdup(arena, argv[i]);
	return copy;
}

static const char *const *copy_texts(
	struct br_arena *arena, const struct br_texts *texts)
{
	const char **copy =
		br_arena_array(arena, texts->count + 1, sizeof(*copy));

	for (size_t i = 0; i < texts->count; i++)
		copy[i] = br_arena_strdup(arena, texts->items[i].text);
	return copy;
}

/* What people see of a step. Secrets may be written in it. */
static const char *show_step(
	const struct building *building, const struct br_step *step)
{
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf shown = { 0 };

	if (step->text)
		br_buf_add_text(&text, step->text);
	else
		br_quote_argv(step->argv, &text);
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	br_mask_text(building->mask, br_buf_str(&text), &shown);
	return br_arena_strdup(&building->plan->arena, br_buf_text(&shown));
}

static void build_step(const struct building *building,
	const struct br_step *from, struct br_plan_step *step)
{
	struct br_arena *arena = &building->plan->arena;

	step->text = from->text ? br_arena_strdup(arena, from->text) : NULL;
	step->argv = from->argv ? copy_argv(arena, from->argv) : NULL;
	step->command = show_step(building, from);
	step->line = from->place.line;
}

static uint8_t *copy_statuses(
	struct br_arena *arena, const uint8_t *from, size_t count)
{
	uint8_t *copy = br_arena_alloc(arena, count);

	if (count > 0)
		memcpy(copy, from, count);
	return copy;
}

static struct br_allow_failure copy_allow_failure(
	struct br_arena *arena, const struct br_allow_failure *from)
{
	struct br_allow_failure copy = *from;

	copy.statuses =
		copy_statuses(arena, from->statuses, from->status_count);
	return copy;
}

static struct br_retry copy_retry(
	struct br_arena *arena, const struct br_retry *from)
{
	struct br_retry copy = *from;

	copy.statuses =
		copy_statuses(arena, from->statuses, from->status_count);
	return copy;
}

static void build_steps(const struct building *building,
	const struct br_stage *from, struct br_plan_stage *stage)
{
	stage->steps = br_arena_array(&building->plan->arena, from->step_count,
		sizeof(*stage->steps));
	stage->step_count = from->step_count;
	for (size_t i = 0; i < from->step_count; i++) {
		stage->steps[i].number = (unsigned)i + 1;
		build_step(building, &from->steps[i], &stage->steps[i]);
	}
}

/* Skip the stage where its conditions do not hold. */
static void judge(struct building *building, const struct br_choice *choice,
	struct br_plan_stage *stage)
{
	const struct br_when *when = &choice->stage->when;
	const char *why = choice->is_shell
		? NULL
		: br_when_project_mismatch(when, &building->facts);

	if (!why) {
		stage->environment = br_environ_build(&building->environment,
			choice->stage, choice->combination, stage->name);
	}
	/* Somebody who wants to look is not asked whether it would run. */
	if (!why && !choice->is_shell)
		why = br_when_env_mismatch(
			when, stage->environment, &building->facts);
	if (why) {
		stage->skip = BR_SKIP_WHEN;
		stage->why = why;
	}
}

/* Once for all combinations of a matrix. */
static void check_images(
	const struct br_choices *choices, struct br_diags *diags)
{
	for (size_t i = 0; i < choices->group_count; i++) {
		const struct br_stage *stage =
			choices->items[choices->groups[i].first].stage;
		const char *mistake =
			stage->image ? br_image_mistake(stage->image) : NULL;

		if (mistake)
			br_diags_add(diags, BR_SEVERITY_ERROR, stage->place,
				NULL,
				"stage '%s': '%s' is no name of an image: %s",
				stage->name, stage->image, mistake);
	}
}

/* What a stage has that says how its steps run, is not for a shell. */
static void make_shell(struct br_plan_stage *stage)
{
	stage->is_shell = true;
	stage->status = BR_WHEN_SUCCESS;
	stage->retry = (struct br_retry){ 0 };
	stage->timeout_ms = 0;
	stage->allow_failure = (struct br_allow_failure){ 0 };
}

static void build_stage(struct building *building,
	const struct br_choice *choice, struct br_plan_stage *stage)
{
	static const char *const default_shell[] = { "sh", NULL };
	static const char *const nothing[] = { NULL };
	struct br_arena *arena = &building->plan->arena;
	const struct br_stage *from = choice->stage;

	*stage = (struct br_plan_stage){
		.name = br_arena_strdup(arena, choice->name),
		.is_prepare = choice->is_prepare,
		.skip = choice->skip,
		.why = choice->why,
		.group = choice->group,
		.status = from->when.status,
		.image = from->image ? br_arena_strdup(arena, from->image)
				     : building->plan->image,
		.has_own_image = from->image != NULL,
		.has_tty = from->has_tty,
		.retry = copy_retry(arena, &from->retry),
		.environment = nothing,
		.workdir = choose_workdir(arena, from->workdir),
		.user = choose_user(building, from->user),
		.is_host_user = is_host(from->user),
		.shell = copy_argv(
			arena, from->shell ? from->shell : default_shell),
		.timeout_ms = from->timeout_ms,
		.allow_failure =
			copy_allow_failure(arena, &from->allow_failure),
		.is_cached = from->has_inputs && !from->is_uncached,
		.inputs = copy_texts(arena, &from->inputs),
		.outputs = copy_texts(arena, &from->outputs),
		.kept_ms = from->kept_ms,
	};
	if (choice->is_shell)
		make_shell(stage);
	else
		build_steps(building, from, stage);
	if (choice->skip == BR_SKIP_NOT)
		judge(building, choice, stage);
}

static void copy_groups(struct br_plan *plan, const struct br_choices *choices)
{
	plan->groups = choices->groups;
	plan->group_count = choices->group_count;
	for (size_t i = 0; i < plan->group_count; i++)
		plan->groups[i].name =
			br_arena_strdup(&plan->arena, plan->groups[i].name);
}

static void build_stages(struct building *building,
	const struct br_choices *choices, struct br_diags *diags)
{
	struct br_plan *plan = building->plan;

	plan->stages = br_arena_array(
		&plan->arena, choices->count, sizeof(*plan->stages));
	plan->stage_count = choices->count;
	check_images(choices, diags);
	for (size_t i = 0; i < choices->count; i++)
		build_stage(building, &choices->items[i], &plan->stages[i]);
	copy_groups(plan, choices);
	br_services_build(plan, choices, &building->environment, diags);
	br_paths_build(plan, building->options->durations);
}

/* Copy what the manifest says of the whole build. */
static void copy_manifest(struct building *building)
{
	const struct br_manifest *manifest = building->manifest;
	struct br_plan *plan = building->plan;

	plan->project_dir =
		br_arena_strdup(&plan->arena, manifest->project_dir);
	plan->manifest = br_arena_strdup(&plan->arena, manifest->file);
	plan->has_docker = manifest->has_docker;
	plan->memory_bytes = manifest->memory_bytes;
	plan->cpus_nano = manifest->cpus_nano;
	plan->pids = manifest->pids;
	if (manifest->network)
		plan->network =
			br_arena_strdup(&plan->arena, manifest->network);
	plan->caller_uid = building->options->caller_uid;
	plan->caller_gid = building->options->caller_gid;
}

/* Find out what the conditions of stages are about. */
static void gather_facts(struct building *building)
{
	struct br_plan *plan = building->plan;
	const struct br_plan_options *options = building->options;

	br_git_find(plan->project_dir, &plan->arena, &building->git);
	plan->git_commit = building->git.commit;
	plan->git_branch = building->git.branch;
	plan->git_tag = building->git.tag;
	building->changes = (struct br_changes){
		.project_dir = plan->project_dir,
		.wanted_base = options->base,
		.arena = &plan->arena,
		.notes = &building->notes,
	};
	if (options->changed)
		br_changes_set(&building->changes, options->changed->items,
			options->changed->count, "the last build that passed");
	building->facts = (struct br_when_facts){
		.git = &building->git,
		.event = options->event ? options->event : default_event,
		.changes = &building->changes,
		.caller_environment = options->environment,
		.arena = &plan->arena,
	};
}

/* Build all that depends on the environment. */
static bool build_environment(struct building *building,
	const struct br_choices *choices, struct br_diags *diags,
	struct br_err *err)
{
	struct br_plan *plan = building->plan;
	const struct br_environ_source source = {
		.manifest = building->manifest,
		.options = building->options,
		.git = &building->git,
		.arena = &plan->arena,
		.notes = &building->notes,
		.diags = diags,
	};

	if (!br_environ_init(&building->environment, &source, err))
		return false;
	br_secrets_list(&building->environment.secrets, &plan->arena,
		&plan->secrets, &plan->secret_count);
	building->mask = br_mask_new(plan->secrets, plan->secret_count);
	build_stages(building, choices, diags);
	br_mask_free(building->mask);
	br_environ_done(&building->environment);
	return true;
}

static bool choose_stages(const struct building *building,
	const struct br_graph *graph, struct br_choices *choices,
	struct br_err *err)
{
	const struct br_plan_options *options = building->options;
	struct br_arena *arena = &building->plan->arena;

	if (options->is_shell && options->selection.count == 0 &&
		options->only.count == 0) {
		br_shell_make(building->manifest, arena, choices);
		return true;
	}
	return br_select(building->manifest, graph, options, arena, choices,
		       err) &&
		(!options->is_shell || br_shell_choose(choices, err));
}

bool br_plan_build(const struct br_manifest *manifest,
	const struct br_plan_options *options, struct br_diags *diags,
	struct br_plan **plan, struct br_err *err)
{
	br_auto(br_plan) struct br_plan *built = br_alloc(sizeof(*built));
	struct building building = {
		.manifest = manifest,
		.options = options,
		.plan = built,
		.notes = { .arena = &built->arena },
	};
	struct br_graph graph;
	struct br_choices choices;

	if (options->note)
		br_notes_add(&building.notes, "%s", options->note);
	br_graph_build(manifest, &built->arena, diags, &graph);
	if (!choose_stages(&building, &graph, &choices, err))
		return false;
	if (!choose_image(&building, &choices, err))
		return false;
	copy_manifest(&building);
	gather_facts(&building);
	if (!build_environment(&building, &choices, diags, err))
		return false;
	br_diags_sort(diags);
	built->warnings = br_notes_list(&building.notes);
	*plan = diags->error_count > 0 ? NULL : br_take_ptr(&built);
	return true;
}
