/* SPDX-License-Identifier: MIT */
#include "cache/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/listing.h"
#include "cache/record.h"

enum { MODE_DIGITS = 4 };

static const char *const names[] = {
	[BR_INGREDIENT_IMAGE] = "image",
	[BR_INGREDIENT_SETTING] = "setting",
	[BR_INGREDIENT_SHELL] = "shell",
	[BR_INGREDIENT_STEP] = "step",
	[BR_INGREDIENT_VARIABLE] = "variable",
	[BR_INGREDIENT_SECRET] = "secret",
	[BR_INGREDIENT_SERVICE] = "service",
	[BR_INGREDIENT_NEED] = "need",
	[BR_INGREDIENT_OUTPUT] = "output",
	[BR_INGREDIENT_FILE] = "file",
	[BR_INGREDIENT_LINK] = "link",
};

const char *br_ingredient_name(enum br_ingredient kind)
{
	return names[kind];
}

static const char *escape(struct br_arena *arena, const char *name)
{
	br_autobuf struct br_buf text = { 0 };

	br_record_escape(name, &text);
	return br_arena_strdup(arena, br_buf_text(&text));
}

static struct br_key_item *add(
	struct br_cache_key *key, enum br_ingredient kind, const char *name)
{
	key->items = br_grow(
		key->items, key->count, &key->capacity, sizeof(*key->items));

	struct br_key_item *item = &key->items[key->count];
	*item = (struct br_key_item){
		.kind = kind,
		.name = escape(&key->arena, name),
		.order = key->count++,
	};
	return item;
}

void br_cache_key_add(struct br_cache_key *key, enum br_ingredient kind,
	const char *name, struct br_str value)
{
	br_hash_bytes(value.data, value.len, add(key, kind, name)->digest);
}

void br_cache_key_add_list(struct br_cache_key *key, enum br_ingredient kind,
	const char *name, const char *const *values)
{
	br_autobuf struct br_buf all = { 0 };

	/* No value has a NUL in it; "" and nothing at all differ by one. */
	for (size_t i = 0; values[i]; i++)
		br_buf_add(&all, values[i], strlen(values[i]) + 1);
	br_cache_key_add(key, kind, name, br_buf_str(&all));
}

void br_cache_key_add_keyed(struct br_cache_key *key, enum br_ingredient kind,
	const char *name, struct br_str value,
	const uint8_t secret_key[BR_HASH_BYTES])
{
	br_hash_keyed(secret_key, value.data, value.len,
		add(key, kind, name)->digest);
}

void br_cache_key_add_need(struct br_cache_key *key, const char *name,
	const uint8_t identity[BR_HASH_BYTES])
{
	memcpy(add(key, BR_INGREDIENT_NEED, name)->digest, identity,
		BR_HASH_BYTES);
}

static void add_listed(struct br_cache_key *key, const struct br_listed *listed)
{
	struct br_key_item *item = NULL;

	switch (listed->kind) {
	case BR_LISTED_FILE:
		item = add(key, BR_INGREDIENT_FILE, listed->path);
		item->mode = listed->mode;
		memcpy(item->digest, listed->digest, BR_HASH_BYTES);
		return;
	case BR_LISTED_LINK:
		br_cache_key_add(key, BR_INGREDIENT_LINK, listed->path,
			br_str(listed->target));
		return;
	case BR_LISTED_FOLDER:
		return;
	}
}

void br_cache_key_add_listing(
	struct br_cache_key *key, const struct br_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		add_listed(key, &listing->items[i]);
}

static bool is_ordered(enum br_ingredient kind)
{
	return kind == BR_INGREDIENT_STEP || kind == BR_INGREDIENT_SHELL;
}

static int compare(const void *a, const void *b)
{
	const struct br_key_item *left = a;
	const struct br_key_item *right = b;
	int order = 0;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (!is_ordered(left->kind))
		order = strcmp(left->shown, right->shown);
	if (order == 0 && !is_ordered(left->kind))
		order = memcmp(left->digest, right->digest, BR_HASH_BYTES);
	if (order != 0)
		return order;
	return left->order < right->order ? -1 : 1;
}

/* Files come sorted, and there may be many of them. */
static void sort(struct br_cache_key *key)
{
	for (size_t i = 1; i < key->count; i++)
		if (compare(&key->items[i - 1], &key->items[i]) > 0) {
			qsort(key->items, key->count, sizeof(*key->items),
				compare);
			return;
		}
}

/* Digest and what is around it are put together first: there may be many lines. */
static void add_line(const struct br_key_item *item, struct br_buf *text)
{
	static const char digits[] = "01234567";
	char middle[MODE_DIGITS + 2 + BR_HASH_TEXT_BYTES];
	size_t len = 0;

	middle[len++] = ' ';
	if (item->kind == BR_INGREDIENT_FILE) {
		for (unsigned shift = 3 * MODE_DIGITS; shift > 0; shift -= 3)
			middle[len++] = digits[item->mode >> (shift - 3) & 7];
		middle[len++] = ':';
	}
	br_hash_format(item->digest, middle + len);
	len += BR_HASH_TEXT_BYTES - 1;
	middle[len++] = ' ';
	br_buf_add_text(text, names[item->kind]);
	br_buf_add(text, middle, len);
	br_buf_add_text(text, item->shown);
	br_buf_add_char(text, '\n');
}

static void write_text(
	struct br_cache_key *key, bool has_needs, struct br_buf *text)
{
	for (size_t i = 0; i < key->count; i++) {
		struct br_key_item *item = &key->items[i];
		bool is_named = has_needs || item->kind != BR_INGREDIENT_NEED;

		item->shown = is_named ? item->name : "-";
	}
	sort(key);
	br_buf_addf(text, "buildr-key %d\n", BR_KEY_VERSION);
	for (size_t i = 0; i < key->count; i++)
		add_line(&key->items[i], text);
}

void br_cache_key_end(struct br_cache_key *key, uint8_t identity[BR_HASH_BYTES])
{
	br_autobuf struct br_buf text = { 0 };

	write_text(key, false, &text);
	br_hash_bytes(text.data, text.len, identity);
}

void br_cache_key_record(struct br_cache_key *key, struct br_buf *record)
{
	write_text(key, true, record);
}

void br_cache_key_done(struct br_cache_key *key)
{
	br_arena_done(&key->arena);
	free(key->items);
	*key = (struct br_cache_key){ 0 };
}
