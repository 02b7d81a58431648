/* SPDX-License-Identifier: MIT */
#include "plan/select.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/suggest.h"

static const char prepare_name[] = "prepare";

/* What is known while the choices are made. */
struct selection {
	const struct br_manifest *manifest;
	struct br_arena *arena;
	/* For each stage of the manifest: is it named, is it listed? */
	bool *is_named;
	bool *is_listed;
	bool is_prepare_named;
	struct br_choices choices;
};

static bool fail_unknown(const struct br_manifest *manifest, const char *name,
	struct br_err *err)
{
	size_t count = manifest->stage_count;
	br_autofree const char **known =
		br_alloc_array(count + 1, sizeof(*known));

	for (size_t i = 0; i < count; i++)
		known[i] = manifest->stages[i].name;
	if (manifest->prepare)
		known[count++] = prepare_name;

	const char *meant = br_suggest_find(name, known, count);
	if (meant)
		return br_fail(err, BR_EINPUT,
			"no stage '%s' in %s; did you mean '%s'?", name,
			manifest->file, meant);
	return br_fail(
		err, BR_EINPUT, "no stage '%s' in %s", name, manifest->file);
}

/* Give the index of the stage `name`, or the number of stages. */
static size_t find_stage(const struct br_manifest *manifest, const char *name)
{
	size_t i = 0;

	while (i < manifest->stage_count &&
		strcmp(manifest->stages[i].name, name) != 0)
		i++;
	return i;
}

static const char *const *one_name(struct br_arena *arena, const char *name)
{
	const char **names = br_arena_array(arena, 2, sizeof(*names));

	if (name)
		names[0] = br_arena_strdup(arena, name);
	return names;
}

static struct br_choice *add_choice(struct selection *selection,
	const struct br_stage *stage, const char *needed)
{
	struct br_choices *choices = &selection->choices;
	struct br_choice *choice = &choices->items[choices->count++];

	choice->stage = stage;
	choice->needs = one_name(selection->arena, needed);
	return choice;
}

static void choose_prepare(struct selection *selection)
{
	const struct br_stage *prepare = selection->manifest->prepare;

	if (!prepare)
		return;

	struct br_choice *choice = add_choice(selection, prepare, NULL);
	choice->is_prepare = true;
	choice->why = selection->is_prepare_named ? "named on the command line"
						  : "runs before all others";
}

/* Say why the listed stage at `position` runs; `end` is where it stops. */
static void choose_listed(struct selection *selection, size_t position,
	size_t end, bool is_everything)
{
	const struct br_manifest *manifest = selection->manifest;
	size_t index = manifest->order[position];
	const char *before = manifest->prepare ? prepare_name : NULL;

	if (position > 0)
		before = manifest->stages[manifest->order[position - 1]].name;

	struct br_choice *choice =
		add_choice(selection, &manifest->stages[index], before);
	if (is_everything) {
		choice->why = "listed in 'stages'";
	} else if (selection->is_named[index]) {
		choice->why = "named on the command line";
	} else if (position < end) {
		choice->why = br_arena_format(selection->arena,
			"needed by '%s'",
			manifest->stages[manifest->order[position + 1]].name);
	} else {
		choice->skip = BR_SKIP_SELECTION;
		choice->why = "neither named nor needed";
	}
}

/* Choose the stages that only a name on the command line makes run. */
static void choose_named(struct selection *selection, const char *const *names,
	size_t name_count)
{
	const struct br_manifest *manifest = selection->manifest;

	for (size_t i = 0; i < name_count; i++) {
		size_t index = find_stage(manifest, names[i]);

		/* Once, however often it is named. */
		if (index == manifest->stage_count ||
			selection->is_listed[index] ||
			!selection->is_named[index])
			continue;
		selection->is_named[index] = false;
		add_choice(selection, &manifest->stages[index],
			manifest->prepare ? prepare_name : NULL)
			->why = "named on the command line";
	}
}

static bool mark_names(struct selection *selection, const char *const *names,
	size_t name_count, struct br_err *err)
{
	const struct br_manifest *manifest = selection->manifest;

	for (size_t i = 0; i < name_count; i++) {
		size_t index = find_stage(manifest, names[i]);

		if (index < manifest->stage_count)
			selection->is_named[index] = true;
		else if (manifest->prepare &&
			strcmp(names[i], prepare_name) == 0)
			selection->is_prepare_named = true;
		else
			return fail_unknown(manifest, names[i], err);
	}
	return true;
}

/* Count the listed stages up to the last one that is named. */
static size_t needed_count(const struct selection *selection)
{
	const struct br_manifest *manifest = selection->manifest;
	size_t count = manifest->order_count;

	while (count > 0 && !selection->is_named[manifest->order[count - 1]])
		count--;
	return count;
}

bool br_select(const struct br_manifest *manifest, const char *const *names,
	size_t name_count, struct br_arena *arena, struct br_choices *choices,
	struct br_err *err)
{
	size_t count = manifest->stage_count;
	struct selection selection = {
		.manifest = manifest,
		.arena = arena,
		.is_named = br_arena_array(arena, count, sizeof(bool)),
		.is_listed = br_arena_array(arena, count, sizeof(bool)),
	};

	selection.choices.items = br_arena_array(
		arena, count + 1, sizeof(*selection.choices.items));
	if (!mark_names(&selection, names, name_count, err))
		return false;
	for (size_t i = 0; i < manifest->order_count; i++)
		selection.is_listed[manifest->order[i]] = true;

	size_t end = needed_count(&selection);
	choose_prepare(&selection);
	for (size_t i = 0; i < manifest->order_count; i++)
		choose_listed(&selection, i, end, name_count == 0);
	choose_named(&selection, names, name_count);
	*choices = selection.choices;
	return true;
}
