/* SPDX-License-Identifier: MIT */
/*
 * node.h - YAML as a tree: what the manifest is read from.
 *
 * Aliases point to the node that they name, so that one node may have several
 * parents; merge keys are worked in, and no mapping has a key twice. A scalar is
 * the text that stands in the file: nothing is converted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "manifest/diag.h"

enum br_node_kind {
	BR_NODE_SCALAR,
	BR_NODE_LIST,
	BR_NODE_MAPPING,
	/* Its mistake has been reported: whoever meets it keeps silent. */
	BR_NODE_BROKEN,
};

/* One item of a list or one pair of a mapping. */
struct br_entry {
	/* A scalar; NULL in a list. */
	const struct br_node *key;
	const struct br_node *value;
	/* Where the value stands; for an alias this is where it is used. */
	struct br_place place;
	/* In a list, the `-` before it; without one as `place`. */
	struct br_place dash;
};

struct br_node {
	enum br_node_kind kind;
	struct br_place place;
	/* Scalar: its text, which has no NUL. */
	const char *text;
	/* Scalar: without quotes, so that it may be null, a bool or a number. */
	bool is_plain;
	/* List and mapping. */
	const struct br_entry *entries;
	size_t entry_count;

	/* Its own nodes and those that its aliases stand for, itself too. */
	size_t weight;
	/* Levels of lists and mappings from here down. */
	unsigned height;
	/* Not yet ended: an alias to it would never end. */
	bool is_open;
};

/*
 * Parse YAML `text` and give the root of its first document, or NULL where it
 * could not be read to the end. NULL goes with a mistake in `diags`; a tree may.
 * `text` has no byte order mark.
 *
 * Ownership: the tree lives in `arena`. Limits: BR_LIMIT_MANIFEST_BYTES, _DEPTH
 * and _NODES, each a mistake.
 */
const struct br_node *br_node_parse(
	struct br_str text, struct br_arena *arena, struct br_diags *diags);

/* Say whether the node is YAML's null: `~`, `null`, or nothing. */
bool br_node_is_null(const struct br_node *node);

/*
 * Find the entry of `mapping` with `key`; NULL where there is none, or where
 * `mapping` is none. Ownership: the tree's.
 */
const struct br_entry *br_node_find(
	const struct br_node *mapping, const char *key);

/* Add what the node is in words to `text`: `a list`, `'yes'`, `nothing`. */
void br_node_describe(const struct br_node *node, struct br_buf *text);
