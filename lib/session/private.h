/* SPDX-License-Identifier: MIT */
/*
 * private.h - the folder that buildr and one container share.
 *
 * It holds `init` (a copy of buildr-init) and `wire` (the listening socket), is
 * mounted read-only at /.buildr, and goes as soon as the connection stands. A
 * project directory whose path is not UTF-8 cannot stand in a request to the
 * engine; then `project` in it is a symbolic link there.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"

/* Starts out by br_private_open(). */
struct br_private {
	/* Owned; NULL after br_private_close(). */
	char *folder;
	/* The listening socket; -1 when it has done its work. */
	int listen_fd;
};

/*
 * Find buildr-init: BUILDR_INIT_PATH at build time relative to this program, so
 * that an installed tree works in any prefix, and the build tree before that.
 *
 * Ownership: the caller frees *path with free(). Fails with BR_ENOTFOUND.
 */
bool br_private_find_init(char **path, struct br_err *err) BR_MUST_CHECK;

/*
 * Name the folder of a build: `buildr-<build>` under $XDG_RUNTIME_DIR or, without
 * it, $TMPDIR or /tmp. The name is known before the folder is there, so that
 * whoever cleans up needs to be told nothing later.
 *
 * Ownership: the caller frees it with free().
 */
char *br_private_path(const char *build);

/*
 * Make the folder of a build, in which each container has one of its own. It must
 * be new: what is there already may be anybody's. Fails with BR_ESYSTEM.
 */
bool br_private_make(const char *path, struct br_err *err) BR_MUST_CHECK;

/*
 * Make the folder `path` with a copy of `init_path` and the socket.
 *
 * Fails with BR_ESYSTEM, and leaves nothing then.
 */
bool br_private_open(const char *path, const char *init_path,
	struct br_private *made, struct br_err *err) BR_MUST_CHECK;

/*
 * Make the link to a project directory and give its path.
 *
 * Ownership: the caller frees *link with free().
 */
bool br_private_link(const struct br_private *made, const char *project_dir,
	char **link, struct br_err *err) BR_MUST_CHECK;

/* Remove the folder `path` and what buildr put there, where it is there. */
void br_private_remove(const char *path);

/* Close the socket and remove the folder. May be called twice. */
void br_private_close(struct br_private *made);
