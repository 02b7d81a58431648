/* SPDX-License-Identifier: MIT */
/*
 * folder.h - a folder for one test, of its own, and the files that it needs.
 *
 * It lies under $TMPDIR or /tmp, and is removed at the end of a test that went
 * well; one that fails leaves it.
 */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/file.h"

/* Ownership: the caller gives the path to folder_remove(). */
static inline char *folder_make(void)
{
	const char *base = getenv("TMPDIR");
	char *path = br_format(
		"%s/buildr-test-XXXXXX", base && base[0] ? base : "/tmp");

	if (!mkdtemp(path)) {
		perror(path);
		abort();
	}
	return path;
}

static inline int folder_remove_one(const char *path, const struct stat *status,
	int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static inline void folder_remove(char *path)
{
	(void)nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

/* Make the folders of `path` below `root`. */
static inline void folder_make_parents(const char *root, const char *path)
{
	br_autofree char *whole = br_path_join(root, path);

	for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(whole, 0700);
		*slash = '/';
	}
}

/* Put `text` into the new file `path` below `root`, and make its folders. */
static inline void folder_write(
	const char *root, const char *path, unsigned mode, const char *text)
{
	br_autofree char *whole = br_path_join(root, path);
	struct br_err err = { 0 };

	folder_make_parents(root, path);
	(void)unlink(whole);
	if (!br_file_save_new(whole, mode, text, strlen(text), &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
}
