/* SPDX-License-Identifier: MIT */
/*
 * version.h - which version of the Engine API is spoken.
 *
 * Engines speak every version from their oldest to their newest; both have moved
 * over the years, so that no version is good for all of them. Ours is the newest
 * that both sides know.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* `1.41`. Starts out all zero: none. */
struct br_version {
	int major;
	int minor;
};

enum { BR_VERSION_TEXT_BYTES = 24 };

/*
 * Read `1.41`.
 *
 * Fails with BR_EINPUT where it is anything else.
 */
bool br_version_parse(const char *text, struct br_version *version,
	struct br_err *err) BR_MUST_CHECK;

/* Write `1.41`. */
void br_version_format(
	struct br_version version, char text[BR_VERSION_TEXT_BYTES]);

/*
 * Decide which version to speak with an engine whose newest is `newest`.
 * `forced` is DOCKER_API_VERSION, or NULL.
 *
 * Fails with BR_EPROTO where the engine is too old, and with BR_EINPUT where
 * `forced` is no version or too old.
 */
bool br_version_choose(struct br_version newest, const char *forced,
	struct br_version *chosen, struct br_err *err) BR_MUST_CHECK;
