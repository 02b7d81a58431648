/* SPDX-License-Identifier: MIT */
/* notes.h - what is worth a notice when the build starts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"

/* `{ .arena = ... }` is an empty list; everything lives in the arena. */
struct br_notes {
	struct br_arena *arena;
	const char **items;
	/* A number made of each, so that thousands are soon compared. */
	uint32_t *hashes;
	size_t count;
	size_t capacity;
};

/* Add a line. One that is there already is not added again. */
void br_notes_add(struct br_notes *notes, const char *fmt, ...) BR_PRINTF(2, 3);

/* Give the lines, NULL-terminated. Ownership: the arena's. */
const char *const *br_notes_list(struct br_notes *notes);
