/* SPDX-License-Identifier: MIT */
/* builds.h - what builds of a project there are logs of, and how each ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "event/event.h"
#include "log/header.h"

/* The first characters of an id that are shown at least. */
enum { BR_LOG_ID_CHARS = 8 };

enum br_log_state {
	/* It has a result. */
	BR_LOG_FINISHED,
	BR_LOG_RUNNING,
	/* Its process is gone, or the disk took no more. */
	BR_LOG_UNFINISHED,
};

/* A build, as far as the first and the last lines of its log tell. */
struct br_log_build {
	char build[BR_UUID_TEXT_BYTES];
	/* 1 is the newest. */
	size_t number;
	enum br_log_state state;
	/* Only of one that is finished. */
	enum br_result result;
	int64_t exit;
	/* Microseconds since 1970. */
	int64_t started_us;
	/* Up to its end, or the last that its log tells. */
	double seconds;
	/* Of both its files. */
	int64_t size_bytes;
	struct br_log_header header;
	/* NULL: its log does not say. */
	const char *project;
};

/* The newest first. Everything lives in `arena`. */
struct br_log_builds {
	struct br_arena arena;
	struct br_log_build *items;
	size_t count;
	/* Logs that may not be read, and are left out. */
	size_t shut_count;
	/* Characters by which each id differs from all others. */
	size_t id_chars;
};

/*
 * Find the builds whose logs are in `folder`; none where there is no such folder.
 *
 * Ownership: the caller frees what *builds holds with br_log_builds_done(). Fails with
 * BR_ESYSTEM where the folder cannot be read. Limits: BR_LIMIT_EVENT_BYTES of each log.
 */
bool br_log_builds_load(const char *folder, struct br_log_builds *builds,
	struct br_err *err) BR_MUST_CHECK;

/* Free what it holds. */
void br_log_builds_done(struct br_log_builds *builds);

/*
 * Find the build that `name` means: an id, a start of one that no other has, or `@N`.
 *
 * Ownership: *build is borrowed from `builds`. Fails with BR_ENOTFOUND where there is
 * none, and with BR_EINPUT where there are several; the text names them.
 */
bool br_log_builds_find(const struct br_log_builds *builds, const char *name,
	const struct br_log_build **build, struct br_err *err) BR_MUST_CHECK;

/*
 * Find in which other project's folder, beside `folder`, there is a build whose id starts
 * with `name`, which must have BR_LOG_ID_CHARS.
 *
 * Ownership: the caller frees the project's directory with free(); NULL: in none.
 */
char *br_log_builds_elsewhere(const char *folder, const char *name);
