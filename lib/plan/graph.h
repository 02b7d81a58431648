/* SPDX-License-Identifier: MIT */
/*
 * graph.h - the stages of a manifest in an order in which they can run.
 *
 * Every stage that the manifest defines is a node, whether it will run or not;
 * `prepare` is none, since all wait for it. A stage with a matrix is one node with
 * a name for each of its combinations.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "manifest/manifest.h"

struct br_node_name {
	/* `test (py=3.12, os=slim)`; without a matrix the stage's own. */
	const char *text;
	/* The variables of the combination; NULL: no matrix. */
	const struct br_vars *combination;
};

struct br_graph_node {
	/* Borrowed from the manifest. */
	const struct br_stage *stage;
	bool is_listed;
	struct br_node_name *names;
	size_t name_count;
	/* Indexes of nodes, all lower than this one's. */
	const size_t *needs;
	size_t need_count;
};

struct br_graph {
	/*
	 * Each after those that it needs: the listed ones as the manifest lists
	 * them, then the others in the order of the file.
	 */
	struct br_graph_node *nodes;
	size_t count;
};

/*
 * Build the graph. A name that becomes too long, or that two combinations of a
 * matrix have, is a mistake, which goes to `diags`.
 *
 * Ownership: lives in `arena` and borrows the manifest's stages.
 */
void br_graph_build(const struct br_manifest *manifest, struct br_arena *arena,
	struct br_diags *diags, struct br_graph *graph);
