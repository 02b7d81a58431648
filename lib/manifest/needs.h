/* SPDX-License-Identifier: MIT */
/*
 * needs.h - which stages wait for which, once all of them are known.
 *
 * The names in `needs` become indexes; a stage that `stages` lists and that has
 * no `needs` gets the one before it. What comes out has no cycle, or a mistake
 * says which.
 */
#pragma once

#include "manifest/read.h"
#include "manifest/stage_set.h"

/* Read `needs` into a struct br_stage, as names: a br_read_fn. */
void br_needs_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/*
 * Give every stage of the manifest its `need_indexes`, and report names that
 * nothing defines, cycles, and stages that can never run. The names that
 * `stages` defines are sorted, and the manifest's order is known.
 */
void br_needs_resolve(
	struct br_reader *reader, const struct br_stage_set *stages);
