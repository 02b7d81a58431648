/* SPDX-License-Identifier: MIT */
/*
 * The first line is a glob, the second one a path. Followed folder by folder
 * (cache/globs.h), the glob must match what it matches of the whole path (base/glob.h),
 * and a folder that is not opened must have nothing in it that matches.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/glob.h"
#include "cache/globs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Say whether `path` has no empty part: no walk comes upon one that has. */
static bool is_path(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && path[0] != '/' && path[len - 1] != '/' &&
		!strstr(path, "//");
}

static void follow(struct br_globs *globs, const char *glob, char *path)
{
	struct br_globs_spot spot;
	bool may_be_below = true;

	br_globs_start(globs, &spot);
	for (char *part = path; part;) {
		char *slash = strchr(part, '/');
		struct br_globs_spot from = spot;

		if (slash)
			*slash = '\0';
		br_globs_enter(globs, &from, part, slash != NULL, &spot);
		if (slash) {
			may_be_below = may_be_below &&
				br_globs_may_choose_in(globs, &spot);
			*slash = '/';
		}
		part = slash ? slash + 1 : NULL;
	}

	bool is_chosen = br_globs_are_choosing(globs, &spot);
	if (is_chosen != br_glob_matches(glob, path) ||
		(is_chosen && !may_be_below))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	br_autofree char *glob = br_memdup(data, size);
	char *path = strchr(glob, '\n');
	br_auto(br_globs) struct br_globs *globs = NULL;
	struct br_err err = { 0 };

	if (!path || glob[0] == '!')
		return 0;
	*path++ = '\0';

	const char *const texts[] = { glob };
	if (is_path(path) && br_globs_new(texts, 1, &globs, &err))
		follow(globs, glob, path);
	return 0;
}
