/* SPDX-License-Identifier: MIT */
#include "cmd/options/option_sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arguments.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/settings.h"
#include "base/suggest.h"
#include "cmd/options/option_rows.h"

/* The commands that look for a row here. */
static unsigned readers_of(const struct option_row *row)
{
	return row->commands & ~row->without_variable;
}

/* The environment. */

/* A variable of an option without a value is 1, true, 0, false or empty. */
static bool read_switch(const char *text, bool *is_on, struct br_err *err)
{
	static const struct option_choice choices[] = {
		{ "1", 1 },
		{ "true", 1 },
		{ "0", 0 },
		{ "false", 0 },
	};
	int chosen = 0;

	if (text[0] == '\0') {
		*is_on = false;
		return true;
	}
	if (!option_choose("the value", text, choices, 4, &chosen, err))
		return false;
	*is_on = chosen == 1;
	return true;
}

/* BUILDR_ENV holds one NAME=VALUE a line, and so do other lists. */
static bool read_lines(const struct option_row *row, struct options *options,
	const char *text, struct br_err *err)
{
	char *line = br_arena_strdup(&options->arena, text);

	while (line) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (line[0] != '\0' && !option_set(row, options, line, err))
			return false;
		line = end ? end + 1 : NULL;
	}
	return true;
}

static bool read_value(const struct option_row *row, struct options *options,
	const char *value, struct br_err *err)
{
	bool is_on = true;

	switch (row->kind) {
	case OPTION_SWITCH:
		if (!read_switch(value, &is_on, err))
			return false;
		option_clear(row, options);
		return !is_on || option_set(row, options, NULL, err);
	case OPTION_NAMES:
		if (value[0] != '\0')
			option_clear(row, options);
		return read_lines(row, options, value, err);
	case OPTION_LIST:
		return read_lines(row, options, value, err);
	case OPTION_TEXT:
	case OPTION_VALUE:
		return value[0] == '\0' || option_set(row, options, value, err);
	}
	return true;
}

bool option_environment_read(struct options *options, struct br_err *err)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		char name[BR_ARGUMENT_VARIABLE_BYTES];

		if (!(readers_of(row) & options->command))
			continue;
		br_argument_variable(row->name, name);
		const char *value = getenv(name);
		if (value && !read_value(row, options, value, err))
			return br_wrap(err, "%s", name);
	}
	return true;
}

/* The file. */

struct file {
	struct options *options;
	bool is_given[OPTION_ROWS];
};

static const struct option_row *find_by_name(const char *name)
{
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (!strcmp(option_rows[i].name, name))
			return &option_rows[i];
	return NULL;
}

static bool fail_of_name(const char *name, struct br_err *err)
{
	const char *names[OPTION_ROWS];
	const char *near = NULL;

	for (size_t i = 0; i < OPTION_ROWS; i++)
		names[i] = readers_of(&option_rows[i]) ? option_rows[i].name
						       : NULL;
	near = br_suggest_find(name, names, OPTION_ROWS);
	return br_fail(err, BR_EINPUT, "there is no option '%s'%s%s%s", name,
		near ? ": did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static bool check_line(const struct file *file, const struct option_row *row,
	const char *value, struct br_err *err)
{
	bool is_list = row->kind == OPTION_LIST || row->kind == OPTION_NAMES;

	if (!readers_of(row))
		return br_fail(err, BR_EINPUT, "'%s' cannot stand in a file",
			row->name);
	if (row->value_name && (!value || value[0] == '\0'))
		return br_fail(err, BR_EINPUT, "'%s' needs a value", row->name);
	if (!is_list && file->is_given[row - option_rows])
		return br_fail(
			err, BR_EINPUT, "'%s' is given twice", row->name);
	return true;
}

static bool take_line(
	void *ctx, const char *name, const char *value, struct br_err *err)
{
	struct file *file = ctx;
	struct options *options = file->options;
	const struct option_row *row = find_by_name(name);

	if (!row)
		return fail_of_name(name, err);
	if (!check_line(file, row, value, err))
		return false;
	file->is_given[row - option_rows] = true;
	/* What other commands take is none of this one's. */
	if (!(readers_of(row) & options->command))
		return true;
	if (row->kind == OPTION_SWITCH)
		return read_value(row, options, value ? value : "true", err) ||
			br_wrap(err, "'%s'", name);
	return option_set(
		row, options, br_arena_strdup(&options->arena, value), err);
}

char *option_file_path(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	/* A relative XDG_CONFIG_HOME is to be ignored (XDG Base Directory). */
	if (config && config[0] == '/')
		return br_path_join(config, "buildr/config");
	if (home && home[0] == '/')
		return br_path_join(home, ".config/buildr/config");
	return NULL;
}

bool option_file_read(struct options *options, struct br_err *err)
{
	br_autofree char *path = option_file_path();
	br_autobuf struct br_buf text = { 0 };
	struct file file = { .options = options };

	if (!path)
		return true;
	if (!br_file_load(path, BR_LIMIT_SETTINGS_BYTES, &text, err)) {
		if (err->code == BR_ENOTFOUND)
			return true;
		/* Whatever it is, it is the user's to put right. */
		err->code = BR_EINPUT;
		return br_wrap(err, "the configuration");
	}
	return br_settings_parse(
		path, br_buf_str(&text), take_line, &file, err);
}
