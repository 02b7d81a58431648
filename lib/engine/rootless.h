/* SPDX-License-Identifier: MIT */
/*
 * rootless.h - whether the engine runs without root, and what it cannot do then.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct br_http;

/* Starts out all zero. */
struct br_rootless {
	bool is_rootless;
	/* It has no cgroups, and takes limits without a word and without effect. */
	bool is_unlimited;
};

/*
 * Find out whether the engine runs without root. Takes 10 ms, unless root is at the
 * other end of a socket.
 *
 * Fails as br_http_want().
 */
bool br_rootless_find(struct br_http *http, struct br_rootless *found,
	struct br_err *err) BR_MUST_CHECK;
