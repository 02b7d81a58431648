/* SPDX-License-Identifier: MIT */
/*
 * settings.h - the form of a configuration file: one option a line.
 *
 * buildr and buildr-agent read theirs with it; which names there are is their business.
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
typedef bool br_setting_fn(void *ctx, const char *name, const char *value,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Call `fn` for each option in `text`, in order, until it fails. A byte order mark of UTF-8
 * in front of it is passed over, and so is a carriage return at the end of a line.
 *
 * Fails with BR_EINPUT for a line that is none, and as `fn` does; the error then
 * starts with `<path>:<line>`.
 */
bool br_settings_parse(const char *path, struct br_str text, br_setting_fn *fn,
	void *ctx, struct br_err *err) BR_MUST_CHECK;
