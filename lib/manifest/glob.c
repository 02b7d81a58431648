/* SPDX-License-Identifier: MIT */
#include "manifest/glob.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/str.h"

static bool fail(struct br_reader *reader, const struct br_entry *entry,
	const char *help, const char *text)
{
	br_read_fail(reader, entry->place, help, text);
	return false;
}

/* Give what comes after the bracket expression at `open`; NULL: no end. */
static const char *skip_bracket(const char *open)
{
	const char *at = open + 1;

	if (*at == '!' || *at == '^')
		at++;
	/* A `]` that comes first is one of the characters. */
	if (*at == ']')
		at++;
	for (; *at && *at != ']'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : NULL;
}

static bool check_syntax(struct br_reader *reader, const struct br_entry *entry,
	const char *glob)
{
	const char *at = glob;

	while (at && *at) {
		if (*at == '[') {
			at = skip_bracket(at);
		} else if (*at == '\\') {
			if (!at[1])
				return fail(reader, entry,
					"'\\\\' stands for the character "
					"itself",
					"a glob must not end with '\\'");
			at += 2;
		} else {
			at++;
		}
	}
	if (!at)
		return fail(reader, entry,
			"'\\[' stands for the character itself",
			"a glob has '[' without ']'");
	return true;
}

bool br_glob_check_value(struct br_reader *reader, const struct br_entry *entry,
	const char *glob)
{
	if (glob[0] == '!')
		return fail(reader, entry,
			"'\\!' stands for the character itself",
			"only globs of 'changes' can have '!' in front");
	return check_syntax(reader, entry, glob);
}

bool br_glob_check(struct br_reader *reader, const struct br_entry *entry,
	const char *glob)
{
	if (glob[0] == '\0')
		return fail(reader, entry, "'*' matches everything",
			"a glob must not be empty");
	return br_glob_check_value(reader, entry, glob);
}

/* Say whether one of the parts between `/` is `name`. */
static bool has_part(const char *path, const char *name)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == strlen(name) && !strncmp(path, name, len))
			return true;
		path += len;
		path += strspn(path, "/");
	}
	return false;
}

static bool fail_in(struct br_reader *reader, const struct br_entry *entry,
	const char *key, const char *help, const char *what)
{
	br_autofree char *text = br_format("a glob of '%s' %s", key, what);

	return fail(reader, entry, help, text);
}

static bool check_path(struct br_reader *reader, const struct br_entry *entry,
	const char *key, const char *glob)
{
	const char *path = glob + (glob[0] == '!');

	if (path[strspn(path, "/")] == '\0')
		return fail_in(reader, entry, key, "'**' matches every file",
			"must name files");
	if (has_part(path, ".."))
		return fail_in(reader, entry, key,
			"globs start at the project directory",
			"must not have '..'");
	if (has_part(path, "."))
		return fail_in(reader, entry, key, "leave out './'",
			"must not have '.' as a folder");
	return check_syntax(reader, entry, path);
}

bool br_glob_check_path(struct br_reader *reader, const struct br_entry *entry,
	const char *glob)
{
	return check_path(reader, entry, "changes", glob);
}

static size_t count_folders(const char *path)
{
	size_t count = 0;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

/* The same, and it does not name the project as the steps see it. */
static bool check_file(struct br_reader *reader, const struct br_entry *entry,
	const char *key, const char *glob)
{
	const char *path = glob + (glob[0] == '!');

	if (strcmp(path, "/app") == 0 || br_has_prefix(path, "/app/"))
		return fail_in(reader, entry, key,
			"leave out '/app': globs start at the project "
			"directory, and '/' in front is that",
			"must not begin with '/app'");
	if (count_folders(path) >= BR_LIMIT_GLOB_FOLDERS)
		return fail_in(reader, entry, key, "'**' is any number of them",
			"must not have more than 60 folders");
	return check_path(reader, entry, key, glob);
}

bool br_glob_check_input(struct br_reader *reader, const struct br_entry *entry,
	const char *glob)
{
	return check_file(reader, entry, "inputs", glob);
}

bool br_glob_check_output(struct br_reader *reader,
	const struct br_entry *entry, const char *glob)
{
	return check_file(reader, entry, "outputs", glob);
}

bool br_glob_are_all_negated(const struct br_texts *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		if (globs->items[i].text[0] != '!')
			return false;
	return globs->count > 0;
}

static bool has_control(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f)
			return true;
	return false;
}

static void read_glob(struct br_reader *reader, const struct br_entry *entry,
	const char *name, br_check_fn *check, struct br_texts *globs)
{
	const char *text = br_read_text(reader, entry, name, "a glob");

	if (!text)
		return;
	if (has_control(text)) {
		(void)fail(reader, entry, NULL,
			"a glob must have no control characters");
		return;
	}
	if (check(reader, entry, text))
		globs->items[globs->count++] = (struct br_text){
			.text = text,
			.place = entry->place,
		};
}

void br_glob_read(struct br_reader *reader, const struct br_entry *entry,
	br_check_fn *check, struct br_texts *globs)
{
	const struct br_node *node = entry->value;
	bool is_list = node->kind == BR_NODE_LIST;
	size_t count = is_list ? node->entry_count : 1;
	br_autofree char *name = br_format(
		is_list ? "an item of '%s'" : "'%s'", entry->key->text);

	if (node->kind == BR_NODE_MAPPING) {
		br_read_wrong(
			reader, entry, name, "a glob or a list of globs", NULL);
		return;
	}
	if (count == 0)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			"leave the key out where it does not matter",
			"'%s' is an empty list, so that it can never hold",
			entry->key->text);
	*globs = (struct br_texts){
		.items = br_arena_array(
			&reader->manifest->arena, count, sizeof(*globs->items)),
	};
	for (size_t i = 0; i < count; i++)
		read_glob(reader, is_list ? &node->entries[i] : entry, name,
			check, globs);
}
