/* SPDX-License-Identifier: MIT */
#include "plan/services.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/str.h"
#include "plan/image.h"

/* Until a service must be ready, where the manifest says nothing. */
enum { DEFAULT_TIMEOUT_MS = 60 * 1000 };

struct gathering {
	struct br_plan *plan;
	struct br_environ *environment;
	struct br_diags *diags;
	/* For each of the plan's services where it came from. */
	const struct br_service **origins;
	/* And the stage that named it first. */
	const char **first_users;
	/* And a number made of its alias, so that thousands are soon compared. */
	uint32_t *hashes;
	/* The stage looked at last: of the next combination all is the same. */
	const struct br_stage *last;
	struct br_plan_indexes last_services;
};

static bool is_same_text(const char *left, const char *right)
{
	return left == right || (left && right && strcmp(left, right) == 0);
}

static bool is_same_argv(const char *const *left, const char *const *right)
{
	if (!left || !right)
		return left == right;
	while (*left && *right && strcmp(*left, *right) == 0) {
		left++;
		right++;
	}
	return !*left && !*right;
}

static bool is_same_vars(
	const struct br_vars *left, const struct br_vars *right)
{
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (strcmp(left->items[i].name, right->items[i].name) != 0 ||
			!is_same_text(
				left->items[i].value, right->items[i].value))
			return false;
	return true;
}

static bool is_same(
	const struct br_service *left, const struct br_service *right)
{
	return strcmp(left->image, right->image) == 0 &&
		is_same_argv(left->command, right->command) &&
		is_same_vars(&left->environment, &right->environment) &&
		left->ready == right->ready && left->port == right->port &&
		is_same_argv(left->ready_command, right->ready_command) &&
		left->timeout_ms == right->timeout_ms;
}

static size_t find_alias(const struct gathering *gathering, const char *alias)
{
	const struct br_plan *plan = gathering->plan;
	uint32_t hash = br_text_hash(alias);
	size_t i = 0;

	while (i < plan->service_count &&
		(gathering->hashes[i] != hash ||
			strcmp(plan->services[i].alias, alias) != 0))
		i++;
	return i;
}

static const char *const *copy_argv(
	struct br_arena *arena, const char *const *argv)
{
	size_t count = 0;

	if (!argv)
		return NULL;
	while (argv[count])
		count++;

	const char **copy = br_arena_array(arena, count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = br_arena_strdup(arena, argv[i]);
	return copy;
}

static void add_service(struct gathering *gathering,
	const struct br_service *from, const char *user)
{
	struct br_plan *plan = gathering->plan;
	struct br_arena *arena = &plan->arena;
	size_t index = plan->service_count++;
	const char *mistake = br_image_mistake(from->image);

	gathering->origins[index] = from;
	gathering->first_users[index] = user;
	gathering->hashes[index] = br_text_hash(from->alias);
	plan->services[index] = (struct br_plan_service){
		.alias = br_arena_strdup(arena, from->alias),
		.image = br_arena_strdup(arena, from->image),
		.command = copy_argv(arena, from->command),
		.environment = br_environ_build_service(
			gathering->environment, &from->environment),
		.ready = from->ready,
		.port = from->port,
		.ready_command = copy_argv(arena, from->ready_command),
		.timeout_ms = from->timeout_ms > 0 ? from->timeout_ms
						   : DEFAULT_TIMEOUT_MS,
	};
	if (mistake)
		br_diags_add(gathering->diags, BR_SEVERITY_ERROR, from->place,
			NULL, "'%s' is no name of an image: %s", from->image,
			mistake);
}

/* Give the index of a service of the stage `user`, which may be a new one. */
static size_t take_service(struct gathering *gathering,
	const struct br_service *from, const char *user)
{
	struct br_plan *plan = gathering->plan;
	size_t index = find_alias(gathering, from->alias);

	if (index == plan->service_count)
		add_service(gathering, from, user);
	else if (!is_same(gathering->origins[index], from))
		br_diags_add(gathering->diags, BR_SEVERITY_ERROR, from->place,
			"the services of a build share a network: give one of "
			"them another 'alias'",
			"alias '%s' is of different services in the stages "
			"'%s' and '%s'",
			from->alias, gathering->first_users[index], user);
	return index;
}

static struct br_plan_indexes take_services(
	struct gathering *gathering, const struct br_stage *stage)
{
	const struct br_services *services = &stage->services;
	struct br_plan_indexes taken = {
		.items = br_arena_array(&gathering->plan->arena,
			services->count, sizeof(*taken.items)),
		.count = services->count,
	};

	for (size_t i = 0; i < services->count; i++)
		taken.items[i] = take_service(
			gathering, &services->items[i], stage->name);
	return taken;
}

/* Of all combinations of a matrix the services, and the mistakes, are the same. */
static void give_services(struct gathering *gathering,
	const struct br_stage *from, struct br_plan_stage *stage)
{
	if (gathering->last != from)
		gathering->last_services = take_services(gathering, from);
	gathering->last = from;
	stage->services = gathering->last_services;
}

/* Which stages use each service, from which services each stage uses. */
static void link_users(struct br_plan *plan)
{
	struct br_plan_service *services = plan->services;

	for (size_t i = 0; i < plan->stage_count; i++)
		for (size_t k = 0; k < plan->stages[i].services.count; k++)
			services[plan->stages[i].services.items[k]]
				.users.count++;
	for (size_t i = 0; i < plan->service_count; i++) {
		services[i].users.items = br_arena_array(
			&plan->arena, services[i].users.count, sizeof(size_t));
		services[i].users.count = 0;
	}
	for (size_t i = 0; i < plan->stage_count; i++)
		for (size_t k = 0; k < plan->stages[i].services.count; k++) {
			struct br_plan_indexes *users =
				&services[plan->stages[i].services.items[k]]
					 .users;

			users->items[users->count++] = i;
		}
}

/* A stage without steps passes without anything. */
static bool runs(const struct br_choice *choice, const struct br_plan *plan,
	size_t index)
{
	return !choice->is_prepare &&
		(choice->stage->step_count > 0 || choice->is_shell) &&
		plan->stages[index].skip == BR_SKIP_NOT;
}

/* How many services there may be, where none is shared between stages. */
static size_t count_services(
	const struct br_plan *plan, const struct br_choices *choices)
{
	const struct br_stage *last = NULL;
	size_t count = 0;

	for (size_t i = 0; i < choices->count; i++) {
		const struct br_stage *stage = choices->items[i].stage;

		if (stage != last && runs(&choices->items[i], plan, i)) {
			count += stage->services.count;
			last = stage;
		}
	}
	return count;
}

void br_services_build(struct br_plan *plan, const struct br_choices *choices,
	struct br_environ *environment, struct br_diags *diags)
{
	size_t count = count_services(plan, choices);
	br_autofree const struct br_service **origins =
		br_alloc_array(count, sizeof(struct br_service *));
	br_autofree const char **first_users =
		br_alloc_array(count, sizeof(*first_users));
	br_autofree uint32_t *hashes = br_alloc_array(count, sizeof(*hashes));
	struct gathering gathering = {
		.plan = plan,
		.environment = environment,
		.diags = diags,
		.origins = origins,
		.first_users = first_users,
		.hashes = hashes,
	};

	plan->services =
		br_arena_array(&plan->arena, count, sizeof(*plan->services));
	for (size_t i = 0; i < choices->count; i++)
		if (runs(&choices->items[i], plan, i))
			give_services(&gathering, choices->items[i].stage,
				&plan->stages[i]);
	link_users(plan);
}
