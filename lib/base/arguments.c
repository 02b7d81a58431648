/* SPDX-License-Identifier: MIT */
#include "base/arguments.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

void br_arguments_init(struct br_arguments *arguments, const char *mode,
	br_argument_fn *argument, size_t count)
{
	char *at = arguments->letters;

	assert(count <= BR_ARGUMENTS_MAX && strlen(mode) <= 2);
	*arguments = (struct br_arguments){ .count = count };
	for (; *mode != '\0'; mode++)
		*at++ = *mode;
	for (size_t i = 0; i < count; i++) {
		const struct br_argument row = argument(i);

		arguments->letter[i] = row.letter;
		if (row.letter != '\0')
			*at++ = row.letter;
		if (row.letter != '\0' && row.has_value)
			*at++ = ':';
		arguments->longs[i] = (struct option){
			.name = row.name,
			.has_arg =
				row.has_value ? required_argument : no_argument,
		};
	}
}

size_t br_arguments_get(
	const struct br_arguments *arguments, int letter, int index)
{
	for (size_t i = 0; letter != 0 && i < arguments->count; i++)
		if (arguments->letter[i] == (char)letter)
			return i;
	/* getopt_long() gives only letters that it was given. */
	assert(letter == 0);
	return (size_t)index;
}

void br_argument_variable(
	const char *name, char variable[BR_ARGUMENT_VARIABLE_BYTES])
{
	(void)snprintf(variable, BR_ARGUMENT_VARIABLE_BYTES, "BUILDR_%s", name);
	for (char *at = variable; *at != '\0'; at++)
		*at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
}
