/* SPDX-License-Identifier: MIT */
/*
 * option_rows.h - what options and commands there are: two tables.
 *
 * A row is an option: its names, its environment variable (`BUILDR_` and its
 * name), the commands that take it, where its value goes, and its line in --help.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cmd/options/options.h"

enum option_kind {
	/* No value: a bool that becomes true. */
	OPTION_SWITCH,
	/* One string; the last one given counts. */
	OPTION_TEXT,
	/* A list, to which each one given is added. */
	OPTION_LIST,
	/*
	 * The same; but what the command line gives replaces what the
	 * environment does.
	 */
	OPTION_NAMES,
	/* What `set` makes of it. */
	OPTION_VALUE,
};

/* A word and what it stands for. */
struct option_choice {
	const char *name;
	int value;
};

struct option_row {
	const char *name;
	/* '\0': none. */
	char letter;
	/* What the value is called in --help; NULL: the option has no value. */
	const char *value_name;
	/* Bits of enum command. */
	unsigned commands;
	enum option_kind kind;
	/* Of the member of struct options, except for OPTION_VALUE. */
	size_t offset;
	/* Take the value. Fails with BR_EINPUT. */
	bool (*set)(
		struct options *options, const char *value, struct br_err *err);
	/* Those of `commands` that do not read its environment variable. */
	unsigned without_variable;
	/* Those whose own help leaves it out, since they do nothing with it. */
	unsigned unlisted;
	/* The only values there are; NULL: any can be. */
	const struct option_choice *choices;
	size_t choice_count;
	const char *help;
};

enum { OPTION_ROWS = 59 };
extern const struct option_row option_rows[OPTION_ROWS];

struct command_row {
	const char *name;
	enum command command;
	const char *help;
	/*
	 * Of a command with a help of its own: its arguments, and what they mean, which may
	 * be NULL.
	 */
	const char *arguments;
	const char *details;
};

enum { COMMAND_ROWS = 16 };
extern const struct command_row command_rows[COMMAND_ROWS];

/* Give the commands, as bits, that know a form of --output; all know AUTO, the default. */
unsigned option_output_commands(enum output output);

/*
 * Say whether an option that has choices takes this one with `command`: not every command
 * knows every form of --output.
 */
bool option_fits(const struct option_row *row,
	const struct option_choice *choice, enum command command);

/* Add the names of the choices that `command` takes, with commas between them. */
void option_list_choices(const struct option_row *row, enum command command,
	struct br_buf *text);

/* Give the name of a command. Static. */
const char *command_name(enum command command);

/*
 * Find `text` among `count` choices, for `what`.
 *
 * Fails with BR_EINPUT, naming all of them.
 */
bool option_choose(const char *what, const char *text,
	const struct option_choice *choices, size_t count, int *value,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Put `value` where the row says; NULL for a switch.
 *
 * Fails with BR_EINPUT where it makes no sense.
 */
bool option_set(const struct option_row *row, struct options *options,
	const char *value, struct br_err *err) BR_MUST_CHECK;

/* Empty the list, or unset the switch, of a row that is one. */
void option_clear(const struct option_row *row, struct options *options);
