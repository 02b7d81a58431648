/* SPDX-License-Identifier: MIT */
/*
 * texts.h - text files of this folder that are part of the program.
 *
 * The build makes the tables (embed.awk) of what meson.build lists, in that order.
 */
#pragma once

#include <stddef.h>

struct text {
	/* Of the file. */
	const char *name;
	const char *content;
};

/* Of cmd/init/templates, in the order in which `buildr init` looks for them (kinds.h). */
enum { TEMPLATES = 10 };
extern const struct text templates[TEMPLATES];

/* Of cmd/completion: a shell each. */
enum { SCRIPTS = 3 };
extern const struct text scripts[SCRIPTS];

/* Find the text of `name`; NULL where there is none. Static. */
const struct text *text_find(
	const struct text *table, size_t count, const char *name);
