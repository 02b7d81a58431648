/* SPDX-License-Identifier: MIT */
/*
 * repository.h - a repository of git's without git (gitrepository-layout(5)).
 *
 * `git init` is a process, has templates, and the configuration of the user decides
 * how it writes references; what it would make is a few small files.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Make an empty repository in the new folder `path`. `head` is the file HEAD, which
 * comes last: without it the repository is none.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_repository_make(const char *path, const char *config, const char *head,
	struct br_err *err) BR_MUST_CHECK;

/* Say whether br_repository_make() got to its end. */
bool br_repository_is_made(const char *path);

/* Add `text` in the double quotes of a configuration file. */
void br_repository_quote(struct br_buf *config, const char *text);
