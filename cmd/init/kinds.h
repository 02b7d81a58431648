/* SPDX-License-Identifier: MIT */
/*
 * kinds.h - the kinds of project that `buildr init` knows, by the files that they have.
 *
 * Each has a template of its name in cmd/init/templates, and a function that finds out what the
 * template leaves open: kinds.c has the table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

enum { KIND_FILES = 4, DETAILS = 12 };

/* What is known of the project, by the names that templates have for it. */
struct details {
	struct {
		const char *name;
		/* In the arena or static. */
		const char *value;
	} items[DETAILS];
	size_t count;
	/* The folder that the project is in. */
	const char *folder;
	/* Lines on what could not be used. */
	struct br_buf notes;
	struct br_arena arena;
};

struct kind {
	const char *name;
	const char *title;
	/* Any of these tells; NULL: no more. */
	const char *const files[KIND_FILES];
	/* Of those of one family only the first counts; NULL: it has none. */
	const char *family;
	/* Counts where nothing else was found. */
	bool is_last_resort;
	/* Adds what it finds. */
	void (*look)(struct details *details);
};

enum { KINDS = 10 };
/* In the order in which they count. */
extern const struct kind kinds[KINDS];

/* Find the kind `name`; NULL where there is none. Static. */
const struct kind *kind_find(const char *name);

/* Give the first of the kind's files that `folder` has; NULL: none. Static. */
const char *kind_file(const struct kind *kind, const char *folder);

/*
 * Find the kinds of the project in `folder`. Gives how many there are, of at most KINDS.
 */
size_t kinds_detect(const char *folder, const struct kind *found[KINDS]);
