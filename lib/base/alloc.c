/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The environment's fault, as the contract's table of exit codes has it. */
enum { EXIT_ENVIRONMENT = 3 };

void br_out_of_memory(void)
{
	static const char message[] = "buildr: out of memory\n";

	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(EXIT_ENVIRONMENT);
}

void *br_alloc(size_t size_bytes)
{
	return br_alloc_array(1, size_bytes);
}

void *br_alloc_array(size_t count, size_t size_bytes)
{
	size_t at_least_one = count > 0 && size_bytes > 0 ? count : 1;
	void *made = calloc(at_least_one, size_bytes > 0 ? size_bytes : 1);

	if (!made)
		br_out_of_memory();
	return made;
}

void *br_realloc_array(void *old, size_t count, size_t size_bytes)
{
	void *made = reallocarray(old, count > 0 ? count : 1, size_bytes);

	if (!made)
		br_out_of_memory();
	return made;
}

void *br_grow(void *old, size_t count, size_t *capacity, size_t size_bytes)
{
	if (count < *capacity)
		return old;

	size_t wanted = *capacity > 0 ? *capacity * 2 : 8;
	void *made = br_realloc_array(old, wanted, size_bytes);

	*capacity = wanted;
	return made;
}

char *br_strdup(const char *text)
{
	return br_memdup(text, strlen(text));
}

char *br_memdup(const void *data, size_t len)
{
	char *copy = br_alloc(len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *br_format(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		br_out_of_memory();
	return text;
}
