/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "manifest/manifest.h"

bool br_manifest_locate(
	const char *folder, const char *file, char **path, struct br_err *err)
{
	struct stat status;

	if (!file)
		return br_manifest_find(folder, path, err);
	if (stat(folder, &status) < 0 || !S_ISDIR(status.st_mode))
		return br_fail(err, BR_EINPUT, "no directory '%s'", folder);
	/* The working directory needs no name in front. */
	*path = br_path_join(strcmp(folder, ".") == 0 ? "" : folder, file);
	return true;
}
