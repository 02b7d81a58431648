/* SPDX-License-Identifier: MIT */
/* cmd_cache.c - `buildr cache`: what the stage cache has, and making it smaller. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/suggest.h"
#include "cache/prune.h"
#include "cache/store.h"
#include "cache/users.h"
#include "cmd/cache_table.h"
#include "cmd/commands.h"
#include "cmd/project.h"
#include "view/only.h"
#include "view/words.h"

/* The store, looked at. */
struct place {
	const struct options *options;
	/* NULL: there is none yet. */
	struct br_store *store;
	struct br_inventory inventory;
};

static int fail(const struct br_err *err)
{
	complain(err);
	return status_of(err);
}

static int print(const struct br_buf *text)
{
	struct br_err err = { 0 };

	if (br_file_write(STDOUT_FILENO, br_buf_text(text), text->len, &err))
		return STATUS_PASS;
	complain(&err);
	return STATUS_ENVIRONMENT;
}

static bool is_json(const struct place *place)
{
	return place->options->output == OUTPUT_JSON;
}

static int list(struct place *place)
{
	br_autobuf struct br_buf text = { 0 };

	cache_table_format(&place->inventory, is_json(place), &text);
	return print(&text);
}

static int sum_up(struct place *place)
{
	br_autobuf struct br_buf text = { 0 };

	cache_sums_format(&place->inventory, is_json(place), &text);
	return print(&text);
}

/* Remove what was dropped, and say how much that was. */
static int remove_dropped(struct place *place)
{
	bool is_dry = place->options->is_dry_run;
	br_autobuf struct br_buf text = { 0 };
	struct br_pruned pruned = { 0 };

	if (place->store)
		br_prune_remove(
			place->store, &place->inventory, is_dry, &pruned);
	if (is_json(place)) {
		br_buf_addf(&text,
			"{\"removed\":%zu,\"bytes\":", pruned.result_count);
		br_json_add_int(&text, pruned.size_bytes);
		br_buf_addf(
			&text, ",\"dry_run\":%s}\n", is_dry ? "true" : "false");
		return print(&text);
	}
	if (place->options->is_quiet)
		return STATUS_PASS;
	br_buf_addf(&text, "%s %zu result%s, ",
		is_dry ? "would remove" : "removed", pruned.result_count,
		pruned.result_count == 1 ? "" : "s");
	br_words_add_size(&text, pruned.size_bytes);
	br_buf_add_char(&text, '\n');
	return print(&text);
}

static int prune(struct place *place)
{
	const struct options *options = place->options;
	struct br_prune_limits limits = {
		.max_bytes = options->max_size_bytes,
		.max_age_ms = options->max_age_ms,
		.min_free_bytes = options->min_free_bytes,
	};
	struct br_err err = { 0 };

	if (limits.max_bytes < 0 && limits.max_age_ms < 0 &&
		limits.min_free_bytes < 0) {
		limits.max_bytes = BR_PRUNE_BYTES;
		limits.max_age_ms = BR_PRUNE_AGE_MS;
	}
	if (place->store &&
		!br_prune_choose(
			place->store, &limits, &place->inventory, &err))
		return fail(&err);
	return remove_dropped(place);
}

static bool is_meant(const struct br_held_result *result, const char *wanted,
	const char *project)
{
	struct br_str rest = br_buf_str(&result->users);
	struct br_user user;

	while (br_users_next(&rest, &user))
		/* Both end in a NUL. */
		if (br_str_is(user.project, project) &&
			br_only_matches(wanted, user.stage.data))
			return true;
	return false;
}

static size_t drop_stage(
	struct place *place, const char *wanted, const char *project)
{
	size_t count = 0;

	for (size_t i = 0; i < place->inventory.result_count; i++) {
		struct br_held_result *result = &place->inventory.results[i];

		if (!is_meant(result, wanted, project))
			continue;
		count++;
		if (!result->is_dropped)
			br_inventory_drop(&place->inventory, result);
	}
	return count;
}

static int remove_stages(struct place *place)
{
	const struct options *options = place->options;
	br_autofree char *project = NULL;
	struct br_err err = { 0 };

	if (options->stage_count < 2) {
		(void)br_fail(&err, BR_EINPUT,
			"'buildr cache rm' wants to know which stage; "
			"everything goes with 'buildr cache prune --max-size "
			"0'");
		return fail(&err);
	}
	if (!project_find(options, &project, &err))
		return fail(&err);
	for (size_t i = 1; i < options->stage_count; i++)
		if (drop_stage(place, options->stages[i], project) == 0) {
			(void)br_fail(&err, BR_ENOTFOUND,
				"no result of stage '%s' of '%s' is stored",
				options->stages[i], project);
			return fail(&err);
		}
	return remove_dropped(place);
}

static const struct verb {
	const char *name;
	int (*fn)(struct place *place);
	bool has_stages;
	bool has_limits;
} verbs[] = {
	{ "ls", list, false, false },
	{ "du", sum_up, false, false },
	{ "prune", prune, false, true },
	{ "rm", remove_stages, true, false },
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static bool fail_of_verb(const char *typed, struct br_err *err)
{
	const char *names[VERBS];
	const char *near = NULL;

	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	near = br_suggest_find(typed, names, VERBS);
	return br_fail(err, BR_EINPUT,
		"'buildr cache' knows ls, du, prune and rm, and no '%s'%s%s%s",
		typed, near ? ": did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static bool check(const struct options *options, const struct verb *verb,
	struct br_err *err)
{
	bool is_limited = options->max_size_bytes >= 0 ||
		options->max_age_ms >= 0 || options->min_free_bytes >= 0;
	bool is_removing = verb->has_stages || verb->has_limits;

	if (!verb->has_stages && options->stage_count > 1)
		return br_fail(err, BR_EINPUT,
			"'buildr cache %s' takes no argument like '%s'",
			verb->name, options->stages[1]);
	if (!verb->has_limits && is_limited)
		return br_fail(err, BR_EINPUT,
			"--max-size, --max-age and --min-free are options of "
			"'buildr cache prune'");
	if (!is_removing && options->is_dry_run)
		return br_fail(err, BR_EINPUT,
			"'buildr cache %s' removes nothing: leave --dry-run "
			"out",
			verb->name);
	return true;
}

static bool find_verb(const struct options *options, const struct verb **verb,
	struct br_err *err)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(options->stages[0], verbs[i].name)) {
			*verb = &verbs[i];
			return check(options, &verbs[i], err);
		}
	return fail_of_verb(options->stages[0], err);
}

/* Where there is no store yet none is made. */
static bool look(struct place *place, struct br_err *err)
{
	br_autofree char *folder = NULL;

	if (!br_store_find_folder(&folder, err))
		return false;
	if (access(folder, F_OK) < 0)
		return true;
	return br_store_open(folder, &place->store, err) &&
		br_inventory_build(place->store, &place->inventory, err);
}

int cmd_cache(const struct options *options)
{
	struct place place = { .options = options };
	const struct verb *verb = &verbs[0];
	struct br_err err = { 0 };
	int status = STATUS_PASS;

	if (find_verb(options, &verb, &err) && look(&place, &err))
		status = verb->fn(&place);
	else
		status = fail(&err);
	br_inventory_done(&place.inventory);
	br_store_free(place.store);
	return status;
}
