/* SPDX-License-Identifier: MIT */
/*
 * heap.h - the stages that could start now, the one on the longest path first.
 *
 * A binary heap: with 10,000 stages ready at once each comes out in a few steps. Of
 * two with equally long paths the one that the plan has first goes first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct br_heap_entry {
	int64_t path_ms;
	/* Of the stage in the plan. */
	size_t index;
};

/* Starts out all zero. */
struct br_heap {
	struct br_heap_entry *items;
	size_t count;
	size_t capacity;
};

/* Free what is held. */
void br_heap_done(struct br_heap *heap);

/* Add a stage. */
void br_heap_add(struct br_heap *heap, size_t index, int64_t path_ms);

/* Take the first one; *index is set where there is one. */
bool br_heap_take(struct br_heap *heap, size_t *index);
