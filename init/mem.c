/* SPDX-License-Identifier: MIT */
#include "init/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nobody can be told: the wire would need memory as well. */
static void *check(void *memory)
{
	if (!memory)
		_exit(EXIT_FAILURE);
	return memory;
}

void *mem_new(size_t size_bytes)
{
	return check(calloc(1, size_bytes > 0 ? size_bytes : 1));
}

void *mem_grow(void *old, size_t count, size_t *capacity, size_t size_bytes)
{
	if (count < *capacity)
		return old;

	size_t wanted = *capacity > 0 ? 2 * *capacity : 16;
	void *grown = check(reallocarray(old, wanted, size_bytes));

	*capacity = wanted;
	return grown;
}
