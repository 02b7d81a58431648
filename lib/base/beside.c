/* SPDX-License-Identifier: MIT */
#include "base/beside.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"

/* The folder of this program, with a NUL; false where /proc does not say. */
static bool find_own_folder(char folder[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	if (n <= 0)
		return false;
	folder[n] = '\0';

	char *slash = strrchr(folder, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

bool br_beside_find(const char *const *places, size_t count, char **path)
{
	char folder[PATH_MAX];

	if (!find_own_folder(folder))
		return false;
	for (size_t i = 0; i < count; i++) {
		br_autofree char *found = br_path_join(folder, places[i]);

		if (access(found, R_OK) == 0) {
			*path = br_take_ptr(&found);
			return true;
		}
	}
	return false;
}
