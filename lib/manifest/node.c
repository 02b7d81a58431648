/* SPDX-License-Identifier: MIT */
#include "manifest/node.h"

#include <string.h>

/* Longer texts are shown by their start. */
enum { QUOTED_CHARS = 40 };

bool br_node_is_null(const struct br_node *node)
{
	if (node->kind != BR_NODE_SCALAR || !node->is_plain)
		return false;
	return node->text[0] == '\0' || !strcmp(node->text, "~") ||
		!strcmp(node->text, "null");
}

const struct br_entry *br_node_find(
	const struct br_node *mapping, const char *key)
{
	if (mapping->kind != BR_NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->entry_count; i++)
		if (!strcmp(mapping->entries[i].key->text, key))
			return &mapping->entries[i];
	return NULL;
}

static void describe_scalar(const struct br_node *node, struct br_buf *text)
{
	struct br_str all = br_str(node->text);
	size_t shown = br_lines_skip_chars(all, QUOTED_CHARS);

	if (br_node_is_null(node)) {
		br_buf_add_text(text, "nothing");
		return;
	}
	if (!node->is_plain)
		br_buf_add_text(text, "the quoted ");
	br_buf_addf(text, "'%.*s%s'", (int)shown, node->text,
		shown < all.len ? "..." : "");
}

void br_node_describe(const struct br_node *node, struct br_buf *text)
{
	switch (node->kind) {
	case BR_NODE_SCALAR:
		describe_scalar(node, text);
		break;
	case BR_NODE_LIST:
		br_buf_add_text(text, "a list");
		break;
	case BR_NODE_MAPPING:
		br_buf_add_text(text, "a mapping");
		break;
	case BR_NODE_BROKEN:
		br_buf_add_text(text, "what cannot be read");
		break;
	}
}
