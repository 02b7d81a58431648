/* SPDX-License-Identifier: MIT */
#include "run/heap.h"

#include <stdlib.h>

#include "base/alloc.h"

void br_heap_done(struct br_heap *heap)
{
	free(heap->items);
	*heap = (struct br_heap){ 0 };
}

static bool goes_before(
	const struct br_heap_entry *left, const struct br_heap_entry *right)
{
	if (left->path_ms != right->path_ms)
		return left->path_ms > right->path_ms;
	return left->index < right->index;
}

static void swap(struct br_heap_entry *left, struct br_heap_entry *right)
{
	struct br_heap_entry saved = *left;

	*left = *right;
	*right = saved;
}

void br_heap_add(struct br_heap *heap, size_t index, int64_t path_ms)
{
	size_t at = heap->count;

	heap->items = br_grow(heap->items, heap->count, &heap->capacity,
		sizeof(*heap->items));
	heap->items[heap->count++] = (struct br_heap_entry){
		.path_ms = path_ms,
		.index = index,
	};
	while (at > 0 &&
		goes_before(&heap->items[at], &heap->items[(at - 1) / 2])) {
		swap(&heap->items[at], &heap->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

/* Give which of an entry and its two children goes first. */
static size_t first_of(const struct br_heap *heap, size_t at)
{
	size_t first = at;

	for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
		if (child < heap->count &&
			goes_before(&heap->items[child], &heap->items[first]))
			first = child;
	return first;
}

bool br_heap_take(struct br_heap *heap, size_t *index)
{
	size_t at = 0;

	if (heap->count == 0)
		return false;
	*index = heap->items[0].index;
	heap->items[0] = heap->items[--heap->count];
	for (size_t first = first_of(heap, at); first != at;
		first = first_of(heap, at)) {
		swap(&heap->items[at], &heap->items[first]);
		at = first;
	}
	return true;
}
