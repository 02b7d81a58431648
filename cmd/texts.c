/* SPDX-License-Identifier: MIT */
#include "cmd/texts.h"

#include <string.h>

const struct text *text_find(
	const struct text *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}
