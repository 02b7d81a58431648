/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the tree of node.h while it grows, one YAML event after the other.
 *
 * It knows nothing of libyaml: events.c tells it what the events say. Limits are
 * watched here, before anything is built, since the parser has none: neither on
 * depth nor on what aliases multiply.
 */
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "manifest/node.h"

struct br_tree_level {
	struct br_node *node;
	/* Where the level's entries begin in `pending`. */
	size_t first;
	/* Of a mapping: the key whose value is next; NULL: a key is next. */
	struct br_node *key;
	bool is_block;
};

/* Where a node stands, and the name that it is given for aliases, or NULL. */
struct br_tree_spot {
	struct br_place place;
	const char *anchor;
};

/* Starts out all zero but for the first three. Private to tree.c. */
struct br_tree {
	struct br_arena *arena;
	struct br_diags *diags;
	struct br_lines lines;

	struct br_node *root;
	struct br_tree_level levels[BR_LIMIT_MANIFEST_DEPTH];
	size_t depth;
	/* The entries of all levels; each level's are moved when it ends. */
	struct br_entry *pending;
	size_t pending_count;
	size_t pending_capacity;
	/* A search tree (tsearch) of anchors; the latest of each name. */
	void *anchors;
	/* Nodes so far, each as often as aliases repeat it. */
	size_t node_count;
};

/* Free what is not in the arena. */
void br_tree_done(struct br_tree *tree);

/*
 * Add a scalar. `text` is copied; with a NUL in it, it is a mistake.
 *
 * This and the next two give false where a limit is reached: stop then.
 */
bool br_tree_add_scalar(struct br_tree *tree, struct br_tree_spot spot,
	struct br_str text, bool is_plain);

/* Begin a list or a mapping; `is_block`: it is written without brackets. */
bool br_tree_open(struct br_tree *tree, struct br_tree_spot spot,
	enum br_node_kind kind, bool is_block);

/* Add the node that `name` stands for. */
bool br_tree_add_alias(
	struct br_tree *tree, struct br_place place, const char *name);

/* End the list or mapping that was begun last. */
void br_tree_close(struct br_tree *tree);
