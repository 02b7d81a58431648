/* SPDX-License-Identifier: MIT */
#include "plan/notes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/str.h"

/* Arenas cannot grow an array: move to one of twice the size. */
static void make_room(struct br_notes *notes)
{
	size_t capacity = notes->capacity > 0 ? notes->capacity * 2 : 8;
	const char **items =
		br_arena_array(notes->arena, capacity, sizeof(*items));
	uint32_t *hashes =
		br_arena_array(notes->arena, capacity, sizeof(*hashes));

	if (notes->count > 0) {
		memcpy(items, notes->items, notes->count * sizeof(*items));
		memcpy(hashes, notes->hashes, notes->count * sizeof(*hashes));
	}
	notes->items = items;
	notes->hashes = hashes;
	notes->capacity = capacity;
}

static bool has_note(
	const struct br_notes *notes, const char *text, uint32_t hash)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->hashes[i] == hash &&
			strcmp(notes->items[i], text) == 0)
			return true;
	return false;
}

void br_notes_add(struct br_notes *notes, const char *fmt, ...)
{
	br_autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		br_out_of_memory();

	uint32_t hash = br_text_hash(text);
	if (has_note(notes, text, hash))
		return;
	/* One more for the NULL at the end. */
	if (notes->count + 1 >= notes->capacity)
		make_room(notes);
	notes->hashes[notes->count] = hash;
	notes->items[notes->count++] = br_arena_strdup(notes->arena, text);
}

const char *const *br_notes_list(struct br_notes *notes)
{
	if (notes->capacity == 0)
		make_room(notes);
	notes->items[notes->count] = NULL;
	return notes->items;
}
