/* SPDX-License-Identifier: MIT */
/* history_private.h - what the files of a stage's history share. */
#pragma once

#include <dirent.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cache/hash.h"

struct br_history;
struct br_store;

#define BR_HISTORY_TOP "stages"

/* `stages/PROJECT/STAGE.run`, with the NUL. */
enum { BR_HISTORY_PATH_BYTES = 12 + 2 * BR_HASH_TEXT_BYTES };

/* Behind the name of a stage: why it ran (last_run.h). */
#define BR_HISTORY_RUN ".run"

/* Write where a file of a stage is. */
void br_history_path(const char *project_dir, const char *stage,
	const char *suffix, char path[BR_HISTORY_PATH_BYTES]);

/* Let `path` have that text from now on. Fails with BR_ESYSTEM. */
bool br_history_write(struct br_store *store, const char *path,
	struct br_str text, struct br_err *err) BR_MUST_CHECK;

/* Read a stage's file. Ownership: br_history_done(). Gives false where it is none. */
bool br_history_read(const struct br_store *store, const char *path,
	struct br_history *history);

/* Open a folder of the store; NULL: it cannot be. Ownership: the caller's to close. */
DIR *br_history_open_folder(const struct br_store *store, const char *path);

/*
 * Take the first line off `text`; NULL: there is none. Ownership: the caller frees it with
 * free().
 */
char *br_history_take_line(struct br_buf *text);
