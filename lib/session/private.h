/* SPDX-License-Identifier: MIT */
/*
 * private.h - the folder that buildr and one container share.
 *
 * It holds `init` (a copy of buildr-init) and `wire` (the listening socket), is
 * mounted read-only at /.buildr, and goes as soon as the connection stands. A
 * project directory whose path is not UTF-8 cannot stand in a request to the
 * engine; then `project` in it is a symbolic link there.
 *
 * Its name says which process made it, so that it is known from its first moment
 * on whose it is, and whoever finds it can tell that its owner is gone.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/process.h"

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
 * Name the folder of a build that this process runs: `buildr-<build>.<owner>`
 * under $XDG_RUNTIME_DIR or, without it, $TMPDIR or /tmp. The owner is that of the
 * labels, with dots for its slashes. The name is known before the folder is there,
 * so that whoever cleans up needs to be told nothing later.
 *
 * Ownership: the caller frees it with free().
 */
char *br_private_path(const char *build);

/*
 * Have the folder of a build there, in which each container has one of its own. It is
 * to be there only while a container comes up: br_private_end().
 *
 * Fails with BR_ESYSTEM, also where something of that name is not this user's alone.
 */
bool br_private_begin(const char *path, struct br_err *err) BR_MUST_CHECK;

/* Remove the folder of a build, unless a container's is in it. */
void br_private_end(const char *path);

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

/*
 * Remove the folder `path`, folders in it that have a number for a name, and what
 * buildr put into each. Gives true where it is not there afterwards.
 *
 * What is a symbolic link, or belongs to another user, stays as it is.
 */
bool br_private_remove(const char *path);

/*
 * Remove the folders that builds of this user left whose process is gone, and give
 * their number. What `self` cannot judge stays.
 */
size_t br_private_sweep(const struct br_process_id *self);

/* Close the socket and remove the folder. May be called twice. */
void br_private_close(struct br_private *made);
