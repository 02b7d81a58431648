/* SPDX-License-Identifier: MIT */
#include "plan/shell.h"

static const char shell_why[] = "a shell instead of its steps";

/* It has what every stage starts from, as far as that makes sense for it. */
static struct br_stage *make_stage(
	const struct br_manifest *manifest, struct br_arena *arena)
{
	struct br_stage *stage = br_arena_alloc(arena, sizeof(*stage));

	*stage = (struct br_stage){
		.name = "shell",
		.environment = manifest->defaults.environment,
		.workdir = manifest->defaults.workdir,
		.user = manifest->defaults.user,
		.shell = manifest->defaults.shell,
	};
	return stage;
}

static void add(struct br_choices *choices, const struct br_choice *choice)
{
	struct br_plan_group *group = &choices->groups[choices->group_count];

	choices->items[choices->count] = *choice;
	choices->items[choices->count].group = choices->group_count;
	*group = (struct br_plan_group){
		.name = choice->name,
		.first = choices->count++,
		.count = 1,
	};
	choices->group_count++;
}

/* The second group waits for the first one. */
static void link_to_prepare(struct br_choices *choices, struct br_arena *arena)
{
	size_t *indexes = br_arena_array(arena, 2, sizeof(*indexes));

	indexes[1] = 1;
	choices->groups[1].needs =
		(struct br_plan_indexes){ .items = &indexes[0], .count = 1 };
	choices->groups[0].dependents =
		(struct br_plan_indexes){ .items = &indexes[1], .count = 1 };
}

void br_shell_make(const struct br_manifest *manifest, struct br_arena *arena,
	struct br_choices *choices)
{
	const struct br_stage *stage = make_stage(manifest, arena);

	*choices = (struct br_choices){
		.items = br_arena_array(arena, 2, sizeof(*choices->items)),
		.groups = br_arena_array(arena, 2, sizeof(*choices->groups)),
	};
	if (manifest->prepare)
		add(choices,
			&(struct br_choice){
				.stage = manifest->prepare,
				.name = manifest->prepare->name,
				.is_prepare = true,
				.why = "runs before all others",
			});
	add(choices,
		&(struct br_choice){
			.stage = stage,
			.name = stage->name,
			.is_shell = true,
			.why = shell_why,
		});
	if (manifest->prepare)
		link_to_prepare(choices, arena);
}

bool br_shell_choose(struct br_choices *choices, struct br_err *err)
{
	struct br_choice *first = NULL;

	for (size_t i = 0; i < choices->count; i++) {
		struct br_choice *choice = &choices->items[i];

		if (!choice->is_named)
			continue;
		if (first)
			return br_fail(err, BR_EINPUT,
				"a shell is in the container of one stage: "
				"'%s' or '%s'?",
				first->name, choice->name);
		first = choice;
	}
	if (!first)
		return br_fail(err, BR_EINPUT, "no stage is named");
	first->is_shell = true;
	first->why = shell_why;
	return true;
}
