/* SPDX-License-Identifier: MIT */
/*
 * globs.h - a list of globs, followed while one walks down a tree.
 *
 * Globs are those of base/glob.h; with `!` in front one takes away, and of those that
 * match a path the last one decides. br_glob_matches() judges a whole path; here each
 * folder carries how far each glob has come (its *spots*), so that a name costs one
 * step, and a folder in which nothing can match need not be opened.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"

struct br_globs;

/* How far one glob has come at a path. */
struct br_globs_spot {
	/* Bit N: its first N parts have matched what the path has so far. */
	uint64_t parts;
	/* It has matched the path, or a folder that the path is in. */
	bool is_matched;
};

/*
 * Take `count` globs.
 *
 * Ownership: the caller frees *globs with br_globs_free(); texts are copied. Fails
 * with BR_EINPUT for one with more than 60 folders.
 */
bool br_globs_new(const char *const *texts, size_t count,
	struct br_globs **globs, struct br_err *err) BR_MUST_CHECK;

/* Free them; `globs` may be NULL. */
void br_globs_free(struct br_globs *globs);

BR_DEFINE_AUTO(br_globs)

/* Say how many there are, which is how many spots a path has. */
size_t br_globs_count(const struct br_globs *globs);

/* Write the spots of the top folder. */
void br_globs_start(const struct br_globs *globs, struct br_globs_spot *top);

/*
 * Write the spots of `name` in the folder with the spots `folder`. A glob that
 * matches it counts as used, see br_globs_find_unused().
 */
void br_globs_enter(struct br_globs *globs, const struct br_globs_spot *folder,
	const char *name, bool is_folder, struct br_globs_spot *spots);

/* Say whether the path with these spots is chosen. */
bool br_globs_are_choosing(
	const struct br_globs *globs, const struct br_globs_spot *spots);

/* Say whether anything in the folder with these spots may be chosen. */
bool br_globs_may_choose_in(
	const struct br_globs *globs, const struct br_globs_spot *spots);

/*
 * Find the first glob without `!` that has matched nothing; NULL: each has.
 * Ownership: borrowed until the globs are freed.
 */
const char *br_globs_find_unused(const struct br_globs *globs);
