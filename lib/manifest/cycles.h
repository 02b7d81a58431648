/* SPDX-License-Identifier: MIT */
/* cycles.h - stages that need themselves, and those that can never run. */
#pragma once

#include "manifest/read.h"

/* Who needs whom: the edges of each stage in a row, one stage after the other. */
struct br_cycle_graph {
	/* The stage that is needed. `need_indexes` of a stage points in here. */
	size_t *indexes;
	/* Where it says so; line 0: nowhere, it is the one before in `stages`. */
	struct br_place *places;
	size_t count;
};

/*
 * Report each cycle with its path. Where there is none and `is_all_known`, that
 * is, nothing can fail but what the edges show, report each stage that waits for
 * the failure of others of which none can fail.
 *
 * The time is linear in stages and edges, and no stack grows with them.
 */
void br_cycles_check(struct br_reader *reader,
	const struct br_cycle_graph *graph, bool is_all_known);
