/* SPDX-License-Identifier: MIT */
/* merge.h - the keys of a mapping: each once, with what `<<` merges in. */
#pragma once

#include "manifest/node.h"

/*
 * Give `mapping` its entries: those `own` that are no merge keys, in order, then
 * what the merge keys bring and is not there yet. A key that stands twice, and
 * `<<` with anything but mappings, is a mistake.
 *
 * Ownership: `own` is only read; the entries live in `arena`.
 */
void br_merge_entries(struct br_node *mapping, const struct br_entry *own,
	size_t own_count, struct br_arena *arena, struct br_diags *diags);
