/* SPDX-License-Identifier: MIT */
#include "plan/when.h"

#include <fnmatch.h>
#include <string.h>

#include "base/buf.h"
#include "base/glob.h"

static bool matches_any(const struct br_texts *globs, const char *text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (fnmatch(globs->items[i].text, text, 0) == 0)
			return true;
	return false;
}

/* As the manifest lists them. */
static void add_globs(const struct br_texts *globs, struct br_buf *text)
{
	for (size_t i = 0; i < globs->count; i++)
		br_buf_addf(
			text, "%s%s", i > 0 ? ", " : "", globs->items[i].text);
}

/* Judge what is one text; `value` is NULL where there is none. */
static const char *text_mismatch(struct br_arena *arena, const char *what,
	const struct br_texts *globs, const char *value)
{
	br_autobuf struct br_buf text = { 0 };

	if (globs->count == 0 || (value && matches_any(globs, value)))
		return NULL;
	if (value)
		br_buf_addf(&text, "%s '%s' is not ", what, value);
	else
		br_buf_addf(&text, "no %s, needs ", what);
	add_globs(globs, &text);
	return br_arena_strdup(arena, br_buf_text(&text));
}

/* As in .gitignore the last glob that matches decides; `!` takes out again. */
static bool is_wanted(const struct br_texts *globs, const char *path)
{
	for (size_t i = globs->count; i-- > 0;) {
		const char *glob = globs->items[i].text;
		bool is_negated = glob[0] == '!';

		if (br_glob_matches(glob + (is_negated ? 1 : 0), path))
			return !is_negated;
	}
	return false;
}

static const char *changes_mismatch(
	const struct br_texts *globs, const struct br_when_facts *facts)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_changes *changes = facts->changes;

	if (globs->count == 0 || !br_changes_find(changes))
		return NULL;
	for (size_t i = 0; i < changes->count; i++)
		if (is_wanted(globs, changes->paths[i]))
			return NULL;
	br_buf_addf(&text, "nothing changed since %s in ", changes->base);
	add_globs(globs, &text);
	return br_arena_strdup(facts->arena, br_buf_text(&text));
}

const char *br_when_project_mismatch(
	const struct br_when *when, const struct br_when_facts *facts)
{
	const char *why = text_mismatch(
		facts->arena, "branch", &when->branch, facts->git->branch);

	if (!why)
		why = text_mismatch(
			facts->arena, "tag", &when->tag, facts->git->tag);
	if (!why)
		why = text_mismatch(
			facts->arena, "event", &when->event, facts->event);
	if (!why)
		why = changes_mismatch(&when->changes, facts);
	return why;
}

static const char *find_value(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment && environment[i]; i++)
		if (!strncmp(environment[i], name, len) &&
			environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

const char *br_when_env_mismatch(const struct br_when *when,
	const char *const *environment, const struct br_when_facts *facts)
{
	for (size_t i = 0; i < when->env_count; i++) {
		const struct br_when_env *wanted = &when->env[i];
		const char *value = find_value(environment, wanted->name);
		br_autobuf struct br_buf text = { 0 };

		if (!value)
			value = find_value(
				facts->caller_environment, wanted->name);
		if (matches_any(&wanted->globs, value ? value : ""))
			continue;
		br_buf_addf(&text, "variable '%s' is %s ", wanted->name,
			value ? "not" : "not set, needs");
		add_globs(&wanted->globs, &text);
		return br_arena_strdup(facts->arena, br_buf_text(&text));
	}
	return NULL;
}
