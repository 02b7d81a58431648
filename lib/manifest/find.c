/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "manifest/manifest.h"

/* In a container of buildr's: what it mounts there, no mistake of anybody. */
#define PRIVATE_FOLDER "/.buildr"

enum found {
	FOUND_NOTHING,
	FOUND_FILE,
	FOUND_FOLDER,
	FOUND_BROKEN_LINK,
};

/* Anything but a folder is taken: reading it says what is wrong with it. */
static enum found look_at(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0)
		return S_ISDIR(status.st_mode) ? FOUND_FOLDER : FOUND_FILE;
	if (lstat(path, &status) == 0)
		return S_ISLNK(status.st_mode) ? FOUND_BROKEN_LINK : FOUND_FILE;
	return FOUND_NOTHING;
}

/*
 * Look into one folder. `*passed` gets the first folder named `.buildr`, which
 * some projects use for other things, and must be free()d by the caller.
 * Gives false, with `err`, for what is in the place of a manifest but is none.
 */
static bool find_in(
	const char *folder, char **path, char **passed, struct br_err *err)
{
	static const char *const names[] = { ".buildr", ".buildr.yml",
		".buildr.yaml" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		br_autofree char *tried = br_path_join(folder, names[i]);
		enum found found = look_at(tried);

		if (found == FOUND_FILE) {
			*path = br_take_ptr(&tried);
			return true;
		}
		if (found == FOUND_BROKEN_LINK)
			return br_fail(err, BR_EINPUT,
				"'%s' is a link to nothing", tried);
		if (found == FOUND_FOLDER && i > 0)
			return br_fail(err, BR_EINPUT,
				"'%s' is a directory, not a manifest", tried);
		if (found == FOUND_FOLDER && !*passed &&
			strcmp(tried, PRIVATE_FOLDER) != 0)
			*passed = br_take_ptr(&tried);
	}
	return true;
}

/* Cut `folder` to its parent; false at the root. */
static bool go_up(char *folder)
{
	char *slash = strrchr(folder, '/');

	if (!slash || folder[1] == '\0')
		return false;
	slash[slash == folder] = '\0';
	return true;
}

static bool open_folder(const char *folder, char **path, struct br_err *err)
{
	br_autofree char *real = realpath(folder, NULL);
	struct stat status;

	if (!real && (errno == ENOENT || errno == ENOTDIR))
		return br_fail(err, BR_EINPUT, "no directory '%s'", folder);
	if (!real || stat(real, &status) < 0)
		return br_fail_errno(err, "open directory '%s'", folder);
	if (!S_ISDIR(status.st_mode))
		return br_fail(
			err, BR_EINPUT, "'%s' is not a directory", folder);
	*path = br_take_ptr(&real);
	return true;
}

bool br_manifest_find(const char *folder, char **path, struct br_err *err)
{
	br_autofree char *at = NULL;
	br_autofree char *passed = NULL;
	br_autofree char *found = NULL;

	if (!open_folder(folder, &at, err))
		return false;
	do {
		if (!find_in(at, &found, &passed, err))
			return false;
	} while (!found && go_up(at));

	if (!found && passed)
		return br_fail(err, BR_EINPUT,
			"'%s' is a directory, not a manifest", passed);
	if (!found)
		return br_fail(err, BR_ENOTFOUND,
			"no .buildr.yml in '%s' or above it", folder);
	*path = br_take_ptr(&found);
	return true;
}
