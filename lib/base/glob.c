/* SPDX-License-Identifier: MIT */
#include "base/glob.h"

#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"

static size_t part_len(const char *text)
{
	return strcspn(text, "/");
}

/* `**`, and for git any more stars. */
static bool is_any_depth(const char *glob)
{
	size_t len = part_len(glob);

	return len >= 2 && strspn(glob, "*") == len;
}

/* Go on to the next part of a path; NULL: this was the last. */
static const char *next_part(const char *part)
{
	part += part_len(part);
	return *part == '/' ? part + 1 : NULL;
}

static bool matches_part(const char *glob, const char *path)
{
	br_autofree char *pattern = br_memdup(glob, part_len(glob));
	br_autofree char *name = br_memdup(path, part_len(path));

	return fnmatch(pattern, name, 0) == 0;
}

/* Where matching goes on when what follows the last `**` does not match. */
struct again {
	const char *glob;
	const char *path;
};

/*
 * Match part by part. Of several `**` only the last can be worth another try,
 * since what is before it has matched as early as it can: no exponential search.
 */
static bool matches_from_top(const char *glob, const char *path)
{
	struct again again = { 0 };

	while (path) {
		if (glob && is_any_depth(glob)) {
			again = (struct again){ next_part(glob), path };
			glob = again.glob;
			/* What is in a folder, but not the folder itself. */
			if (!glob || *glob == '\0')
				return !glob || next_part(path);
		} else if (glob && *glob != '\0' && matches_part(glob, path)) {
			glob = next_part(glob);
			path = next_part(path);
			/* A folder takes all that is in it with it. */
			if (!glob || *glob == '\0')
				return !glob || path != NULL;
		} else if (again.path) {
			again.path = next_part(again.path);
			glob = again.glob;
			path = again.path;
		} else {
			return false;
		}
	}
	return false;
}

bool br_glob_matches(const char *glob, const char *path)
{
	const char *slash = strchr(glob, '/');

	if (glob[0] == '/')
		return matches_from_top(glob + 1, path);
	if (slash && slash[1] != '\0')
		return matches_from_top(glob, path);
	/* Without a slash: in every folder. */
	for (; path; path = next_part(path))
		if (matches_from_top(glob, path))
			return true;
	return false;
}
