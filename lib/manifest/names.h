/* SPDX-License-Identifier: MIT */
/* names.h - names of stages, to be found among thousands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest/lines.h"

struct br_name {
	/* Borrowed. */
	const char *text;
	struct br_place place;
	/* The stage of that name, or BR_NAME_BROKEN. */
	size_t index;
	/* Where `stages` lists it first; line 0: not yet. */
	struct br_place listed;
};

/* The name's definition has a mistake that has been reported. */
#define BR_NAME_BROKEN SIZE_MAX

/* Starts out all zero. `items` are in the order in which they were added. */
struct br_names {
	struct br_name *items;
	size_t count;
	size_t capacity;
	/* By text, after br_names_sort(). */
	struct br_name **sorted;
};

/* Free the list. */
void br_names_done(struct br_names *names);

/* Add a name. Not after br_names_sort(). */
void br_names_add(struct br_names *names, struct br_name name);

/* Make br_names_find() possible. */
void br_names_sort(struct br_names *names);

/* Find a name; NULL where it is not there. Ownership: the list's. */
struct br_name *br_names_find(const struct br_names *names, const char *text);

/*
 * Find the name that is nearest to `typed`, among it the names of `more`, which
 * ends with NULL. NULL where none is near. Borrowed from either.
 *
 * Limits: looks at the first few hundred, which is more than anybody overlooks.
 */
const char *br_names_suggest(const struct br_names *names,
	const char *const *more, const char *typed);
