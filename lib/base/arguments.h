/* SPDX-License-Identifier: MIT */
/*
 * arguments.h - what getopt_long(3) and the environment need of a table of options.
 *
 * Each program has a table of its own, whose rows know more: it tells of a row what
 * matters here.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

struct br_argument {
	const char *name;
	/* '\0': none. */
	char letter;
	bool has_value;
};

/* Gives what row `index` of a table is. */
typedef struct br_argument br_argument_fn(size_t index);

enum {
	/* Rows of a table. */
	BR_ARGUMENTS_MAX = 64,
	/* `BUILDR_`, a name, and its NUL. */
	BR_ARGUMENT_VARIABLE_BYTES = 64,
};

/* For getopt_long(): `letters` and `longs`. */
struct br_arguments {
	char letters[2 * BR_ARGUMENTS_MAX + 3];
	struct option longs[BR_ARGUMENTS_MAX + 1];
	/* Private: the letter of each row. */
	char letter[BR_ARGUMENTS_MAX];
	size_t count;
};

/*
 * Make it of a table of `count` rows, at most BR_ARGUMENTS_MAX. `mode` is what getopt
 * reads at the start of its letters: ":", or "-:".
 */
void br_arguments_init(struct br_arguments *arguments, const char *mode,
	br_argument_fn *argument, size_t count);

/* Give the row that getopt_long() has found, which gave `letter` and `index`. */
size_t br_arguments_get(
	const struct br_arguments *arguments, int letter, int index);

/* Write the variable of an option: of `work-dir` BUILDR_WORK_DIR. */
void br_argument_variable(
	const char *name, char variable[BR_ARGUMENT_VARIABLE_BYTES]);
