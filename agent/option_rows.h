/* SPDX-License-Identifier: MIT */
/* option_rows.h - the table of options: a row has all that is known of one. */
#pragma once

#include <stdbool.h>

#include "agent/options.h"

/*
 * Take a value, which lives as long as the options do. One of a list is added to it,
 * and NULL empties the list.
 */
typedef bool option_set_fn(
	struct options *options, const char *value, struct br_err *err);

/* Where an option may stand beside the command line. */
enum option_place {
	OPTION_ANYWHERE,
	/* In the environment, not in the file. */
	OPTION_NOT_IN_FILE,
	OPTION_NOWHERE_ELSE,
};

struct option_row {
	const char *name;
	/* '\0': none. */
	char letter;
	/* NULL: it is a switch, whose value is `true` or `false`. */
	const char *value_name;
	bool is_list;
	enum option_place place;
	option_set_fn *set;
	const char *help;
};

enum { OPTION_ROWS = 35 };
extern const struct option_row option_rows[OPTION_ROWS];
