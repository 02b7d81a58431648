/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "manifest/manifest.h"

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The path without the working directory in front, as a user would name it. */
static const char *shown(const char *path)
{
	br_autofree char *here = getcwd(NULL, 0);
	size_t len = here ? strlen(here) : 0;

	if (len > 1 && !strncmp(path, here, len) && path[len] == '/')
		return path + len + 1;
	return path;
}

bool br_manifest_open(const char *folder, const char *file,
	struct br_manifest **manifest, struct br_diags *diags,
	struct br_err *err)
{
	const char *from = folder ? folder : ".";
	br_autofree char *path = NULL;

	if (!file) {
		if (!br_manifest_find(from, &path, err))
			return false;
	} else {
		if (!is_folder(from))
			return br_fail(
				err, BR_EINPUT, "no directory '%s'", from);
		/* The working directory needs no name in front. */
		path = br_path_join(strcmp(from, ".") == 0 ? "" : from, file);
	}
	return br_manifest_load(path, shown(path), manifest, diags, err);
}
