/* SPDX-License-Identifier: MIT */
/*
 * The automaton is a tree of all forms: a node is the beginning of a form, its
 * `fail` the longest shorter beginning that is the end of it. After each byte of
 * the text the current node is the longest end of the text that begins a form.
 * So what must be held back is exactly as long as the node is deep, and its bytes
 * are the node's own text: nothing is copied.
 */
#include "base/mask.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/disguise.h"

enum {
	ROOT = 0,
	/* Pairs of bytes, hashed to 12 bits: the table stays in the cache. */
	SKIP_ENTRIES = 4096,
	SKIP_MAX = 255,
};

struct node {
	uint32_t first_child;
	uint32_t next_sibling;
	uint32_t fail;
	uint32_t depth;
	/* Longest form that ends here; 0: none does. */
	uint32_t match_len;
	/* Where the node's text ends in `br_mask.text`. */
	uint32_t text_end;
	uint8_t byte;
};

struct br_mask {
	/* The first is the root; it is no node's child, so 0 means none. */
	struct node *nodes;
	size_t node_count;
	size_t node_capacity;
	/* The forms that made new nodes, one after another. */
	struct br_buf text;
	/* The root's children by their byte. */
	uint32_t first_nodes[256];
	/* Length of the shortest form, at most SKIP_MAX; 0: there is none. */
	size_t window;
	/* How far a window can move that ends in a pair of bytes. */
	uint8_t skips[SKIP_ENTRIES];
};

static uint32_t find_child(const struct br_mask *mask, uint32_t node, uint8_t c)
{
	if (node == ROOT)
		return mask->first_nodes[c];

	uint32_t child = mask->nodes[node].first_child;
	while (child != 0 && mask->nodes[child].byte != c)
		child = mask->nodes[child].next_sibling;
	return child;
}

/* The state after `c`: at most as many falls as there were steps down. */
static uint32_t next_node(const struct br_mask *mask, uint32_t node, uint8_t c)
{
	for (;;) {
		uint32_t child = find_child(mask, node, c);

		if (child != 0 || node == ROOT)
			return child;
		node = mask->nodes[node].fail;
	}
}

static uint32_t add_node(
	struct br_mask *mask, uint32_t parent, uint8_t byte, size_t text_end)
{
	mask->nodes = br_grow(mask->nodes, mask->node_count,
		&mask->node_capacity, sizeof(*mask->nodes));
	assert(mask->node_count < UINT32_MAX && text_end < UINT32_MAX);

	uint32_t added = (uint32_t)mask->node_count++;
	struct node *up = &mask->nodes[parent];
	mask->nodes[added] = (struct node){
		.next_sibling = up->first_child,
		.depth = added == ROOT ? 0 : up->depth + 1,
		.text_end = (uint32_t)text_end,
		.byte = byte,
	};
	if (added == ROOT)
		return added;
	up->first_child = added;
	if (parent == ROOT)
		mask->first_nodes[byte] = added;
	return added;
}

static void add_form(void *ctx, struct br_str form)
{
	struct br_mask *mask = ctx;
	size_t text_start = mask->text.len;
	size_t nodes_before = mask->node_count;
	uint32_t node = ROOT;

	for (size_t i = 0; i < form.len; i++) {
		uint8_t byte = (uint8_t)form.data[i];
		uint32_t child = find_child(mask, node, byte);

		node = child ? child
			     : add_node(mask, node, byte, text_start + i + 1);
	}
	mask->nodes[node].match_len = mask->nodes[node].depth;
	if (mask->node_count > nodes_before)
		br_buf_add(&mask->text, form.data, form.len);
	if (mask->window == 0 || form.len < mask->window)
		mask->window = form.len < SKIP_MAX ? form.len : SKIP_MAX;
}

/* Set where to go on from each node, from the root downwards. */
static void link_nodes(struct br_mask *mask)
{
	br_autofree uint32_t *queue =
		br_alloc_array(mask->node_count, sizeof(*queue));
	size_t queued = 1; /* the root */

	for (size_t i = 0; i < queued; i++) {
		struct node *parent = &mask->nodes[queue[i]];

		for (uint32_t at = parent->first_child; at != 0;
			at = mask->nodes[at].next_sibling) {
			struct node *node = &mask->nodes[at];

			if (queue[i] != ROOT)
				node->fail = next_node(
					mask, parent->fail, node->byte);
			if (node->match_len == 0)
				node->match_len =
					mask->nodes[node->fail].match_len;
			queue[queued++] = at;
		}
	}
}

static size_t pair_hash(uint8_t a, uint8_t b)
{
	return ((size_t)a << 4 ^ b) & (SKIP_ENTRIES - 1);
}

/* Lower the skips for the first `window` bytes of each form (Wu and Manber). */
static void fill_skips(struct br_mask *mask)
{
	if (mask->window < 2)
		return;
	memset(mask->skips, (int)mask->window - 1, sizeof(mask->skips));
	for (size_t i = 1; i < mask->node_count; i++) {
		const struct node *node = &mask->nodes[i];

		if (node->depth < 2 || node->depth > mask->window)
			continue;

		const char *pair = mask->text.data + node->text_end - 2;
		size_t hash = pair_hash((uint8_t)pair[0], (uint8_t)pair[1]);
		uint8_t skip = (uint8_t)(mask->window - node->depth);
		if (skip < mask->skips[hash])
			mask->skips[hash] = skip;
	}
}

struct br_mask *br_mask_new(const struct br_str *secrets, size_t count)
{
	struct br_mask *mask = br_alloc(sizeof(*mask));

	(void)add_node(mask, ROOT, 0, 0);
	for (size_t i = 0; i < count; i++)
		br_disguise_each(secrets[i], add_form, mask);
	link_nodes(mask);
	fill_skips(mask);
	return mask;
}

void br_mask_free(struct br_mask *mask)
{
	if (!mask)
		return;
	free(mask->nodes);
	br_buf_done(&mask->text);
	free(mask);
}

void br_mask_stream_init(
	struct br_mask_stream *stream, const struct br_mask *mask)
{
	*stream = (struct br_mask_stream){ .mask = mask };
}

void br_mask_stream_done(struct br_mask_stream *stream)
{
	free(stream->spans);
	*stream = (struct br_mask_stream){ 0 };
}

/* Give the next place from `at` on where a form may begin, or `len`. */
static size_t skip_plain(
	const struct br_mask *mask, const uint8_t *data, size_t at, size_t len)
{
	if (mask->window < 2)
		return at;

	size_t lead = mask->window - 2;
	size_t pair = at + lead;
	while (pair + 1 < len) {
		size_t skip =
			mask->skips[pair_hash(data[pair], data[pair + 1])];

		if (skip == 0)
			break;
		pair += skip;
	}
	return pair - lead < len ? pair - lead : len;
}

/* Note that the bytes up to `end` are a secret's, together with what overlaps. */
static void add_span(
	struct br_mask_stream *stream, uint64_t start, uint64_t end)
{
	while (stream->span_count > 0) {
		const struct br_mask_span *last =
			&stream->spans[stream->span_count - 1];

		if (last->end < start)
			break;
		if (last->start < start)
			start = last->start;
		stream->span_count--;
	}
	stream->spans = br_grow(stream->spans, stream->span_count,
		&stream->span_capacity, sizeof(*stream->spans));
	stream->spans[stream->span_count++] =
		(struct br_mask_span){ .start = start, .end = end };
}

/*
 * The bytes of a call: those that an earlier one held back, which are the text of
 * the node where it ended, and the new ones behind them.
 */
struct window {
	struct br_str held;
	struct br_str data;
	/* Where `data` starts in the stream. */
	uint64_t base;
	br_mask_fn *fn;
	void *ctx;
};

/* Pass on bytes that are no secret's, up to `end`. */
static void pass(struct br_mask_stream *stream, const struct window *window,
	uint64_t end)
{
	uint64_t at = stream->decided;

	if (at >= end)
		return;
	stream->is_masking = false;
	stream->decided = end;
	if (at < window->base) {
		size_t back = (size_t)(window->base - at);
		size_t len = end < window->base ? (size_t)(end - at) : back;

		window->fn(window->ctx,
			(struct br_str){ .data = window->held.data +
					window->held.len - back,
				.len = len });
		at += len;
	}
	if (at < end)
		window->fn(window->ctx,
			(struct br_str){
				.data = window->data.data + (at - window->base),
				.len = (size_t)(end - at) });
}

/* Pass on or mask everything up to `end`, whose fate is known now. */
static void decide(struct br_mask_stream *stream, const struct window *window,
	uint64_t end)
{
	size_t used = 0;

	for (; used < stream->span_count; used++) {
		struct br_mask_span *span = &stream->spans[used];

		if (span->start >= end)
			break;
		pass(stream, window, span->start);
		if (!stream->is_masking)
			window->fn(window->ctx, br_str(BR_MASK_TEXT));
		stream->is_masking = true;
		stream->decided = span->end < end ? span->end : end;
		if (span->end > end) {
			span->start = end;
			break;
		}
	}
	stream->span_count -= used;
	if (used > 0 && stream->span_count > 0)
		memmove(stream->spans, stream->spans + used,
			stream->span_count * sizeof(*stream->spans));
	pass(stream, window, end);
}

static struct br_str node_text(const struct br_mask *mask, uint32_t node)
{
	const struct node *at = &mask->nodes[node];

	return (struct br_str){
		.data = br_buf_text(&mask->text) + at->text_end - at->depth,
		.len = at->depth,
	};
}

void br_mask_feed(struct br_mask_stream *stream, struct br_str data,
	br_mask_fn *fn, void *ctx)
{
	const struct br_mask *mask = stream->mask;

	if (data.len == 0)
		return;
	if (!mask || mask->window == 0) {
		fn(ctx, data);
		return;
	}

	const uint8_t *bytes = (const uint8_t *)data.data;
	struct window window = {
		.held = node_text(mask, stream->node),
		.data = data,
		.base = stream->fed,
		.fn = fn,
		.ctx = ctx,
	};
	uint32_t node = stream->node;
	for (size_t i = 0; i < data.len;) {
		if (node == ROOT) {
			if (stream->span_count > 0)
				decide(stream, &window, window.base + i);
			i = skip_plain(mask, bytes, i, data.len);
			if (i == data.len)
				break;
		}
		node = next_node(mask, node, bytes[i++]);

		size_t match_len = mask->nodes[node].match_len;
		if (match_len > 0)
			add_span(stream, window.base + i - match_len,
				window.base + i);
	}
	stream->node = node;
	stream->fed += data.len;
	decide(stream, &window, stream->fed - mask->nodes[node].depth);
}

void br_mask_end(struct br_mask_stream *stream, br_mask_fn *fn, void *ctx)
{
	const struct br_mask *mask = stream->mask;

	if (!mask)
		return;

	struct window window = {
		.held = node_text(mask, stream->node),
		.base = stream->fed,
		.fn = fn,
		.ctx = ctx,
	};
	decide(stream, &window, stream->fed);
	stream->node = ROOT;
	stream->is_masking = false;
}

static void add_piece(void *ctx, struct br_str piece)
{
	br_buf_add(ctx, piece.data, piece.len);
}

void br_mask_text(
	const struct br_mask *mask, struct br_str text, struct br_buf *masked)
{
	struct br_mask_stream stream = { 0 };

	br_mask_stream_init(&stream, mask);
	br_mask_feed(&stream, text, add_piece, masked);
	br_mask_end(&stream, add_piece, masked);
	br_mask_stream_done(&stream);
}
