/* SPDX-License-Identifier: MIT */
#include "manifest/tree.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "manifest/merge.h"

/* In the arena; the search tree only points to them. */
struct anchor {
	const char *name;
	struct br_node *node;
};

static int compare_anchors(const void *a, const void *b)
{
	const struct anchor *left = a;
	const struct anchor *right = b;

	return strcmp(left->name, right->name);
}

static void keep_in_arena(void *anchor)
{
	(void)anchor;
}

void br_tree_done(struct br_tree *tree)
{
	tdestroy(tree->anchors, keep_in_arena);
	free(tree->pending);
	tree->anchors = NULL;
	tree->pending = NULL;
}

static struct br_node *find_anchor(struct br_tree *tree, const char *name)
{
	struct anchor wanted = { .name = name };
	void *slot = tfind(&wanted, &tree->anchors, compare_anchors);

	return slot ? (*(struct anchor **)slot)->node : NULL;
}

/* A name that is given again means the latest node from then on. */
static void set_anchor(
	struct br_tree *tree, const char *name, struct br_node *node)
{
	struct anchor *anchor = br_arena_alloc(tree->arena, sizeof(*anchor));

	anchor->name = br_arena_strdup(tree->arena, name);
	void *slot = tsearch(anchor, &tree->anchors, compare_anchors);
	if (slot)
		(*(struct anchor **)slot)->node = node;
	anchor->node = node;
}

/* Count nodes to come; false, with a mistake, where they are too many. */
static bool count_nodes(struct br_tree *tree, struct br_place place, size_t n)
{
	tree->node_count += n;
	if (tree->node_count <= BR_LIMIT_MANIFEST_NODES)
		return true;
	br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, NULL,
		"more than %d YAML nodes, counting what aliases repeat",
		BR_LIMIT_MANIFEST_NODES);
	return false;
}

static bool check_depth(
	struct br_tree *tree, struct br_place place, unsigned height)
{
	if (tree->depth + height <= BR_LIMIT_MANIFEST_DEPTH)
		return true;
	br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, NULL,
		"more than %d levels of lists and mappings",
		BR_LIMIT_MANIFEST_DEPTH);
	return false;
}

static struct br_node *new_node(
	struct br_tree *tree, struct br_tree_spot spot, enum br_node_kind kind)
{
	struct br_node *node = br_arena_alloc(tree->arena, sizeof(*node));

	node->kind = kind;
	node->place = spot.place;
	node->weight = 1;
	if (spot.anchor)
		set_anchor(tree, spot.anchor, node);
	return node;
}

static struct br_node *broken_node(struct br_tree *tree, struct br_place place)
{
	return new_node(
		tree, (struct br_tree_spot){ .place = place }, BR_NODE_BROKEN);
}

/*
 * Find the last `-` that stands alone in a line of which everything up to `end`
 * is blanks, indicators or a comment. Gives false where there is other text.
 */
static bool scan_dash(
	struct br_str text, size_t start, size_t end, size_t *dash)
{
	*dash = end;
	for (size_t i = start; i < end; i++) {
		char c = text.data[i];

		if (c == '#')
			return true;
		if (c == '-')
			*dash = i;
		if (strchr("- \t?:\r", c))
			continue;
		*dash = end;
		return false;
	}
	return true;
}

/*
 * Find the `-` of a list's item that stands at `place`. libyaml does not tell
 * it; between the two are only blanks, line ends and comments.
 */
static struct br_place find_dash(struct br_tree *tree, struct br_place place)
{
	struct br_str text = tree->lines.text;
	size_t start = br_lines_offset(&tree->lines, place.line);
	struct br_str line = { text.data + start, text.len - start };
	size_t end = start + br_lines_skip_chars(line, place.column - 1);
	struct br_place found = place;
	size_t dash = end;

	while (scan_dash(text, start, end, &dash) && dash == end && start > 0) {
		const char *before = NULL;

		end = start - 1;
		before = memrchr(text.data, '\n', end);
		start = before ? (size_t)(before - text.data) + 1 : 0;
		found.line--;
	}
	if (dash == end)
		return place;
	found.column = (unsigned)(dash - start) + 1;
	return found;
}

/* A key must be a scalar; another one is a mistake, and its pair is dropped. */
static struct br_node *check_key(struct br_tree *tree, struct br_node *key)
{
	if (key->kind == BR_NODE_SCALAR || key->kind == BR_NODE_BROKEN)
		return key;
	br_diags_add(tree->diags, BR_SEVERITY_ERROR, key->place,
		"quote it where it is meant as text",
		"a key must be text, not a list or a mapping");
	return broken_node(tree, key->place);
}

static void push_entry(struct br_tree *tree, struct br_entry entry)
{
	tree->pending = br_grow(tree->pending, tree->pending_count,
		&tree->pending_capacity, sizeof(*tree->pending));
	tree->pending[tree->pending_count++] = entry;
}

/* Give a whole node to the level that it belongs to. */
static void place_node(
	struct br_tree *tree, struct br_node *node, struct br_place place)
{
	if (tree->depth == 0) {
		tree->root = node;
		return;
	}

	struct br_tree_level *level = &tree->levels[tree->depth - 1];
	struct br_entry entry = {
		.key = level->key,
		.value = node,
		.place = place,
		.dash = place,
	};
	level->node->weight += node->weight;
	if (level->node->height <= node->height)
		level->node->height = node->height + 1;

	if (level->node->kind == BR_NODE_LIST) {
		if (level->is_block)
			entry.dash = find_dash(tree, place);
		push_entry(tree, entry);
	} else if (!level->key) {
		level->key = check_key(tree, node);
	} else {
		if (level->key->kind == BR_NODE_SCALAR)
			push_entry(tree, entry);
		level->key = NULL;
	}
}

bool br_tree_add_scalar(struct br_tree *tree, struct br_tree_spot spot,
	struct br_str text, bool is_plain)
{
	if (!count_nodes(tree, spot.place, 1))
		return false;

	struct br_node *node = new_node(tree, spot, BR_NODE_SCALAR);
	node->text = br_arena_memdup(tree->arena, text.data, text.len);
	node->is_plain = is_plain;
	if (memchr(text.data, '\0', text.len)) {
		br_diags_add(tree->diags, BR_SEVERITY_ERROR, spot.place, NULL,
			"a text cannot have a NUL byte");
		node->kind = BR_NODE_BROKEN;
	}
	place_node(tree, node, spot.place);
	return true;
}

bool br_tree_open(struct br_tree *tree, struct br_tree_spot spot,
	enum br_node_kind kind, bool is_block)
{
	if (!count_nodes(tree, spot.place, 1) ||
		!check_depth(tree, spot.place, 1))
		return false;

	struct br_node *node = new_node(tree, spot, kind);
	node->is_open = true;
	node->height = 1;
	tree->levels[tree->depth++] = (struct br_tree_level){
		.node = node,
		.first = tree->pending_count,
		.is_block = is_block,
	};
	return true;
}

void br_tree_close(struct br_tree *tree)
{
	assert(tree->depth > 0);

	struct br_tree_level *level = &tree->levels[--tree->depth];
	struct br_node *node = level->node;
	size_t count = tree->pending_count - level->first;
	const struct br_entry *entries =
		count > 0 ? tree->pending + level->first : NULL;

	if (node->kind == BR_NODE_MAPPING) {
		br_merge_entries(
			node, entries, count, tree->arena, tree->diags);
	} else if (count > 0) {
		struct br_entry *kept =
			br_arena_array(tree->arena, count, sizeof(*kept));

		memcpy(kept, entries, count * sizeof(*kept));
		node->entries = kept;
		node->entry_count = count;
	}
	tree->pending_count = level->first;
	node->is_open = false;
	place_node(tree, node, node->place);
}

static void report_alias(struct br_tree *tree, struct br_place place,
	const char *name, bool is_inside)
{
	if (is_inside)
		br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, NULL,
			"the alias '*%s' stands inside of what it names", name);
	else
		br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, NULL,
			"no anchor '&%s' before this alias", name);
}

bool br_tree_add_alias(
	struct br_tree *tree, struct br_place place, const char *name)
{
	struct br_node *named = find_anchor(tree, name);

	if (!named || named->is_open) {
		report_alias(tree, place, name, named != NULL);
		place_node(tree, broken_node(tree, place), place);
		return count_nodes(tree, place, 1);
	}
	if (!count_nodes(tree, place, named->weight) ||
		!check_depth(tree, place, named->height))
		return false;
	place_node(tree, named, place);
	return true;
}
