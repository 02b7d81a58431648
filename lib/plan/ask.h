/* SPDX-License-Identifier: MIT */
/*
 * ask.h - what does git say of the project?
 *
 * The caller may be a hook of git, which has variables that name a repository; they
 * would be stronger than the folder that git is to look at, so that it does not get
 * them. What configures it (GIT_CONFIG_...) it does get.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Run `argv`, a command of git, and add its answer to `answer`. Gives false where
 * there is no git, or it says no.
 *
 * Limits: and where it takes longer than `timeout_ms` or says more than
 * `max_bytes`.
 */
bool br_ask_git(const char *const *argv, int64_t timeout_ms, size_t max_bytes,
	struct br_buf *answer);

/* The same, with `input` of any bytes on its stdin. `*status` gets what it ends with. */
bool br_ask_git_about(const char *const *argv, struct br_str input,
	int64_t timeout_ms, size_t max_bytes, struct br_buf *answer,
	int *status);
