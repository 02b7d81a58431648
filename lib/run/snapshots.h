/* SPDX-License-Identifier: MIT */
/*
 * snapshots.h - which image of a prepared container a build starts from, and which go.
 *
 * An image is good until the time in its label, and no longer than the manifest says
 * today. Of several with the same identity, as builds that ran at once have made them,
 * the newest counts, and the others go like those whose time is over. One that a container
 * was made from stays until somebody looks again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"

/* What a build looks for. Borrowed. */
struct br_snapshot_wish {
	const char *identity;
	/* The label of its containers, for the reason where there is none. */
	const char *project_label;
	/* How long the manifest has it kept. */
	int64_t kept_ms;
	/* Seconds since 1970. */
	int64_t now_s;
};

/*
 * Find the image to start from, borrowed from `snapshots`. NULL: there is none, and *why
 * says so in words; it is constant.
 */
const struct br_snapshot *br_snapshots_find(
	const struct br_snapshots *snapshots,
	const struct br_snapshot_wish *wish, const char **why);

/*
 * Remove those that are of no use any more, but for the one with the tag `kept`; NULL: for none.
 * *removed_count is how many are gone.
 *
 * One that cannot be removed keeps none of the others; the call then fails with the first
 * cause.
 */
bool br_snapshots_prune(struct br_engine *engine,
	const struct br_snapshots *snapshots, int64_t now_s, const char *kept,
	size_t *removed_count, struct br_err *err) BR_MUST_CHECK;
