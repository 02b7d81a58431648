/* SPDX-License-Identifier: MIT */
#include "plan/image.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* The first part is a registry where it cannot be a folder of one. */
static bool is_registry(const char *name, size_t len)
{
	static const char local[] = "localhost";

	if (len == strlen(local) && strncmp(name, local, len) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (name[i] == '.' || name[i] == ':' ||
			isupper((unsigned char)name[i]))
			return true;
	return false;
}

const char *br_image_mistake(const char *name)
{
	const char *repository = name;
	size_t first_len = strcspn(name, "/");

	if (name[0] == '\0')
		return "it is empty";
	if (name[0] == '-')
		return "it begins with '-'";
	for (const char *at = name; *at != '\0'; at++) {
		if (isspace((unsigned char)*at))
			return "it has a blank in it";
		if (iscntrl((unsigned char)*at))
			return "it has a control character in it";
	}
	if (name[first_len] == '/' && is_registry(name, first_len))
		repository += first_len + 1;
	for (; *repository != '\0' && *repository != ':' && *repository != '@';
		repository++)
		if (isupper((unsigned char)*repository))
			return "the name of a repository is in lower case";
	return NULL;
}
