/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct br_arena_block {
	struct br_arena_block *next;
	size_t used;
	size_t size;
	alignas(max_align_t) unsigned char data[];
};

void br_arena_done(struct br_arena *arena)
{
	while (arena->blocks) {
		struct br_arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}

static struct br_arena_block *add_block(struct br_arena *arena, size_t size)
{
	size_t data_size = size > BLOCK_BYTES ? size : BLOCK_BYTES;
	struct br_arena_block *block = br_alloc(sizeof(*block) + data_size);

	block->size = data_size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *br_arena_alloc(struct br_arena *arena, size_t size_bytes)
{
	size_t align = alignof(max_align_t);
	size_t size = (size_bytes + align - 1) / align * align;
	struct br_arena_block *block = arena->blocks;

	if (!block || block->size - block->used < size)
		block = add_block(arena, size);

	void *piece = block->data + block->used;
	block->used += size;
	return piece;
}

void *br_arena_array(struct br_arena *arena, size_t count, size_t size_bytes)
{
	size_t total = 0;

	if (__builtin_mul_overflow(count, size_bytes, &total))
		total = SIZE_MAX / 2; /* br_alloc() says that there is none */
	return br_arena_alloc(arena, total);
}

char *br_arena_strdup(struct br_arena *arena, const char *text)
{
	return br_arena_memdup(arena, text, strlen(text));
}

char *br_arena_memdup(struct br_arena *arena, const void *data, size_t len)
{
	char *copy = br_arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *br_arena_format(struct br_arena *arena, const char *fmt, ...)
{
	va_list args;
	va_list again;

	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);

	size_t size = len < 0 ? 1 : (size_t)len + 1;
	char *text = br_arena_alloc(arena, size);
	(void)vsnprintf(text, size, fmt, again);
	va_end(again);
	return text;
}
