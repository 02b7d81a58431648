/* SPDX-License-Identifier: MIT */
/*
 * entries.h - definitions of variables, of which the strongest counts.
 *
 * A build may have 10,000 stages and its caller a hundred variables: what all stages
 * share is sorted once, and what a stage adds, a handful, is merged into it.
 */
#pragma once

#include <stddef.h>

#include "manifest/manifest.h"

/* A definition, as it is passed on. All borrowed. */
struct br_environ_entry {
	const char *name;
	/* NAME=VALUE; NULL: `NAME` alone, without a value of the caller. */
	const char *text;
	/* Where it stands in the manifest; line 0: elsewhere. */
	struct br_place place;
	/* Entries with a higher rank win. */
	size_t rank;
};

/* Starts out all zero. The owner frees `items`. */
struct br_environ_entries {
	struct br_environ_entry *items;
	size_t count;
	size_t capacity;
};

/* Free the list. */
void br_entries_done(struct br_environ_entries *entries);

/* Add a definition, stronger than all before it. */
void br_entries_add(struct br_environ_entries *entries, const char *name,
	const char *text, struct br_place place);

/* Add the definitions of another list, in its order. */
void br_entries_append(struct br_environ_entries *entries,
	const struct br_environ_entries *more);

/* Sort by name; of a name the strongest is the last. Nothing is added after. */
void br_entries_sort(struct br_environ_entries *entries);

/* Merge two sorted lists into `merged`, which is empty; all of `above` wins. */
void br_entries_merge(const struct br_environ_entries *below,
	const struct br_environ_entries *above,
	struct br_environ_entries *merged);

/* Find the value of the strongest definition that has one; NULL: none has. */
const char *br_entries_find(
	const struct br_environ_entries *entries, const char *name);
