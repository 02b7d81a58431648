/* SPDX-License-Identifier: MIT */
#include "manifest/when.h"

#include <string.h>

#include "base/alloc.h"
#include "manifest/glob.h"
#include "manifest/vars.h"

static void read_branch(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_when *when = into;

	br_glob_read(reader, entry, br_glob_check, &when->branch);
}

static void read_tag(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_when *when = into;

	br_glob_read(reader, entry, br_glob_check, &when->tag);
}

static void read_event(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_when *when = into;

	br_glob_read(reader, entry, br_glob_check, &when->event);
}

static void read_changes(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_when *when = into;
	size_t errors = reader->diags->error_count;

	br_glob_read(reader, entry, br_glob_check_path, &when->changes);
	if (reader->diags->error_count == errors &&
		br_glob_are_all_negated(&when->changes))
		br_read_fail(reader, entry->place,
			"put what they are taken from before them, as in "
			"['**', '!docs/**']",
			"'changes' has only globs with '!', so that it can "
			"never hold");
}

static void read_env(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_when *when = into;
	const struct br_node *node = entry->value;

	if (node->kind != BR_NODE_MAPPING) {
		br_read_wrong(reader, entry, "'env'",
			"a mapping of variables to globs",
			"as in env: {DEPLOY: 'yes'}");
		return;
	}
	when->env = br_arena_array(&reader->manifest->arena, node->entry_count,
		sizeof(*when->env));
	for (size_t i = 0; i < node->entry_count; i++) {
		const struct br_entry *pair = &node->entries[i];
		struct br_when_env *env = &when->env[when->env_count];

		if (!br_vars_check_name(reader, pair->key->place,
			    br_str(pair->key->text)) ||
			br_node_is_null(pair->value))
			continue;
		env->name = br_arena_strdup(
			&reader->manifest->arena, pair->key->text);
		br_glob_read(reader, pair, br_glob_check_value, &env->globs);
		when->env_count++;
	}
}

static void read_status(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const char *const names[] = {
		[BR_WHEN_SUCCESS] = "success",
		[BR_WHEN_FAILURE] = "failure",
		[BR_WHEN_ALWAYS] = "always",
	};
	static const char wants[] = "success, failure or always";
	struct br_when *when = into;
	const char *text = br_read_text(reader, entry, "'status'", wants);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			when->status = (enum br_when_status)i;
			return;
		}
	br_read_wrong(reader, entry, "'status'", wants, NULL);
}

void br_when_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const struct br_key rows[] = {
		{ .name = "branch", .read = read_branch },
		{ .name = "tag", .read = read_tag },
		{ .name = "event", .read = read_event },
		{ .name = "changes", .read = read_changes },
		{ .name = "env", .read = read_env },
		{ .name = "status", .read = read_status },
	};
	static const struct br_keys keys = {
		.rows = rows,
		.count = sizeof(rows) / sizeof(rows[0]),
		.owner = "'when'",
		.form_help = "as in when: {branch: main}",
	};
	struct br_stage *stage = into;
	struct br_when when = { .place = entry->key->place };

	if (br_read_mapping(reader, entry, &keys, &when))
		stage->when = when;
}
