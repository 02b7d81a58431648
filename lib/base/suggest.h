/* SPDX-License-Identifier: MIT */
/* suggest.h - the nearest known name, for "did you mean". */
#pragma once

#include <stddef.h>

/*
 * Find the name among `count` candidates that is nearest to `typed` by edits
 * (insert, delete, replace, swap of neighbours); case counts half.
 *
 * Gives NULL where none is near enough to be meant: more than a third of the
 * letters differ. Borrowed from `candidates`. NULL entries are skipped.
 */
const char *br_suggest_find(
	const char *typed, const char *const *candidates, size_t count);
