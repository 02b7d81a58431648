/* SPDX-License-Identifier: MIT */
/*
 * config.h - the form of the configuration file: one option a line.
 *
 *	# Lines that start with a sharp are comments.
 *	jobs = 4
 *	label  linux
 *	allow-repo = git@example.org:team-*
 *	no-network
 *
 * A name is an option's without its dashes. Its value is the rest of the line, after
 * blanks or one `=` between blanks; nothing in it is special, and quotes are part of it.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* `value` is NULL where the line has none. Both are borrowed for the call. */
typedef bool config_fn(void *ctx, const char *name, const char *value,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Call `fn` for each option in `text`, in order, until it fails.
 *
 * Fails with BR_EINPUT for a line that is none, and as `fn` does; the error then
 * starts with `<path>:<line>`.
 */
bool config_parse(const char *path, struct br_str text, config_fn *fn,
	void *ctx, struct br_err *err) BR_MUST_CHECK;

/* A list of thousands of repositories fits. */
enum { CONFIG_MAX_BYTES = 1024 * 1024 };
