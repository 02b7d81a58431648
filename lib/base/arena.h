/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory that is made piece by piece and freed at once.
 *
 * The manifest and the plan are each built in one arena: everything inside
 * points into it, and nothing in it is freed alone.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* Starts out all zero. Private, except that callers allocate it. */
struct br_arena {
	struct br_arena_block *blocks;
};

/* Free everything that `arena` gave. It may be used again. */
void br_arena_done(struct br_arena *arena);

/* Give `size_bytes` zeroed bytes. Ownership: the arena's. */
void *br_arena_alloc(
	struct br_arena *arena, size_t size_bytes) BR_NONNULL_RESULT;

/* Give a zeroed array. Ownership: the arena's. */
void *br_arena_array(struct br_arena *arena, size_t count,
	size_t size_bytes) BR_NONNULL_RESULT;

/* Copy a string. Ownership: the arena's. */
char *br_arena_strdup(
	struct br_arena *arena, const char *text) BR_NONNULL_RESULT;

/* Copy `len` bytes and end them with a NUL. Ownership: the arena's. */
char *br_arena_memdup(
	struct br_arena *arena, const void *data, size_t len) BR_NONNULL_RESULT;

/* Format a string. Ownership: the arena's. */
char *br_arena_format(struct br_arena *arena, const char *fmt, ...)
	BR_PRINTF(2, 3) BR_NONNULL_RESULT;
