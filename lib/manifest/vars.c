/* SPDX-License-Identifier: MIT */
#include "manifest/vars.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

#define NAME_RULE \
	"a name has letters, digits, '_', '.' and '-', and begins with a " \
	"letter or '_'"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool br_var_is_name(struct br_str name)
{
	if (name.len == 0 || !is_letter(name.data[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!is_letter(name.data[i]) && name.data[i] != '.' &&
			name.data[i] != '-' &&
			(name.data[i] < '0' || name.data[i] > '9'))
			return false;
	return true;
}

bool br_vars_check_name(
	struct br_reader *reader, struct br_place place, struct br_str name)
{
	if (br_var_is_name(name))
		return true;
	if (name.len == 0)
		br_read_fail(reader, place, "as in NAME=VALUE",
			"the name of the variable is missing");
	else
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, place, NAME_RULE,
			"'%.*s' cannot be the name of a variable",
			(int)br_lines_skip_chars(name, 40), name.data);
	return false;
}

/* Add NAME=VALUE, or NAME where `value` is NULL, if it is right. */
static void add_var(struct br_reader *reader, struct br_vars *vars,
	struct br_place place, struct br_str name, const char *value)
{
	struct br_arena *arena = &reader->manifest->arena;

	if (!br_vars_check_name(reader, place, name))
		return;
	if (name.len + 1 + (value ? strlen(value) : 0) >
		BR_LIMIT_ENV_ENTRY_BYTES) {
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, place,
			"no program can be given a longer one",
			"a variable of more than %d bytes",
			BR_LIMIT_ENV_ENTRY_BYTES);
		return;
	}
	vars->items[vars->count++] = (struct br_var){
		.name = br_arena_memdup(arena, name.data, name.len),
		.value = value ? br_arena_strdup(arena, value) : NULL,
		.place = place,
	};
}

static void read_item(struct br_reader *reader, const struct br_entry *item,
	struct br_vars *vars)
{
	const struct br_node *node = item->value;

	if (node->kind != BR_NODE_SCALAR || br_node_is_null(node)) {
		br_read_wrong(reader, item, "a variable", "NAME=VALUE or NAME",
			node->kind == BR_NODE_MAPPING
				? "write NAME=VALUE, or leave out the '-' of "
				  "all of them"
				: NULL);
		return;
	}

	const char *equals = strchr(node->text, '=');
	struct br_str name = br_str(node->text);

	if (equals)
		name.len = (size_t)(equals - node->text);
	add_var(reader, vars, item->place, name, equals ? equals + 1 : NULL);
}

static void read_pair(struct br_reader *reader, const struct br_entry *pair,
	struct br_vars *vars)
{
	const struct br_node *node = pair->value;
	bool is_null = br_node_is_null(node);

	if (node->kind != BR_NODE_SCALAR) {
		br_read_wrong(
			reader, pair, "the value of a variable", "text", NULL);
		return;
	}
	add_var(reader, vars, pair->key->place, br_str(pair->key->text),
		is_null ? NULL : node->text);
}

void br_vars_read(struct br_reader *reader, const struct br_entry *entry,
	struct br_vars *vars)
{
	const struct br_node *node = entry->value;
	struct br_vars all = { .count = vars->count };

	if (node->kind != BR_NODE_LIST && node->kind != BR_NODE_MAPPING) {
		br_autofree char *name = br_format("'%s'", entry->key->text);

		br_read_wrong(reader, entry, name,
			"a list of NAME=VALUE, or a mapping", NULL);
		return;
	}
	all.items = br_arena_array(&reader->manifest->arena,
		vars->count + node->entry_count, sizeof(*all.items));
	if (vars->count > 0)
		memcpy(all.items, vars->items,
			vars->count * sizeof(*all.items));
	for (size_t i = 0; i < node->entry_count; i++)
		if (node->kind == BR_NODE_LIST)
			read_item(reader, &node->entries[i], &all);
		else
			read_pair(reader, &node->entries[i], &all);
	*vars = all;
}

static void read_vars(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	(void)into;
	br_vars_read(reader, entry, &reader->manifest->vars);
}

static void read_inherit(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const char wants[] = "true, false or a list of names";
	struct br_manifest *manifest = reader->manifest;
	bool is_all = false;

	(void)into;
	if (entry->value->kind == BR_NODE_LIST) {
		manifest->inherit = BR_INHERIT_GLOBS;
		br_read_texts(
			reader, entry, wants, NULL, &manifest->inherit_globs);
	} else if (br_read_bool(reader, entry, wants, &is_all)) {
		manifest->inherit = is_all ? BR_INHERIT_ALL : BR_INHERIT_NONE;
	}
}

static bool check_file(struct br_reader *reader, const struct br_entry *entry,
	const char *path)
{
	if (path[0] != '/')
		return true;
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place, NULL,
		"'%s' is absolute; a file is relative to the project directory",
		path);
	return false;
}

static void read_files(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	(void)into;
	br_read_texts(reader, entry, "a list of files", check_file,
		&reader->manifest->env_files);
}

static bool check_secret(struct br_reader *reader, const struct br_entry *entry,
	const char *name)
{
	return br_vars_check_name(reader, entry->place, br_str(name));
}

static void read_secrets(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	(void)into;
	br_read_texts(reader, entry, "a list of names", check_secret,
		&reader->manifest->secrets);
}

void br_vars_read_environment(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const struct br_key rows[] = {
		{ .name = "inherit", .read = read_inherit },
		{ .name = "files", .read = read_files },
		{ .name = "vars", .read = read_vars },
		{ .name = "secrets", .read = read_secrets },
	};
	static const struct br_keys keys = {
		.rows = rows,
		.count = sizeof(rows) / sizeof(rows[0]),
		.owner = "'environment'",
		.unknown_help = "variables stand under 'vars'",
		.form_help = "variables stand in a list under 'vars'",
	};

	(void)br_read_mapping(reader, entry, &keys, into);
}
