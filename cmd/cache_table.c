/* SPDX-License-Identifier: MIT */
#include "cmd/cache_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "cache/users.h"
#include "view/words.h"

enum {
	/* `100 min` and `999.9 MB` are the longest. */
	AGE_COLUMNS = 8,
	SIZE_COLUMNS = 8,
	/* Enough to tell one from another; the whole stands in the JSON. */
	KEY_CHARS = 12,
	STAGE_COLUMNS_MIN = 5,
	STAGE_COLUMNS_MAX = 40,
};

static const struct br_str unknown = { "-", 1 };

/* All results of one stage of one project. */
struct sum {
	struct br_user user;
	size_t result_count;
	int64_t size_bytes;
};

/* Call `fn` for each result and each stage that has had it, or once with `unknown`. */
typedef void row_fn(void *ctx, const struct br_held_result *result,
	const struct br_user *user);

static void each_row(
	const struct br_inventory *inventory, row_fn *fn, void *ctx)
{
	for (size_t i = inventory->result_count; i-- > 0;) {
		const struct br_held_result *result = &inventory->results[i];
		struct br_str rest = br_buf_str(&result->users);
		struct br_user user = { unknown, unknown };
		bool is_known = br_users_next(&rest, &user);

		if (!is_known)
			user = (struct br_user){ unknown, unknown };
		do
			fn(ctx, result, &user);
		while (br_users_next(&rest, &user));
	}
}

/* What is being written. */
struct table {
	const struct br_inventory *inventory;
	struct br_buf *text;
	int stage_columns;
};

static void widen(void *ctx, const struct br_held_result *result,
	const struct br_user *user)
{
	struct table *table = ctx;
	br_autobuf struct br_buf name = { 0 };

	(void)result;
	br_words_add_safe(&name, user->stage);
	int columns = (int)br_words_columns(br_buf_text(&name));
	if (columns > table->stage_columns)
		table->stage_columns = columns < STAGE_COLUMNS_MAX
			? columns
			: STAGE_COLUMNS_MAX;
}

static void add_padded(struct br_buf *text, struct br_str foreign, int columns)
{
	br_autobuf struct br_buf safe = { 0 };

	br_words_add_safe(&safe, foreign);
	br_buf_add(text, br_buf_text(&safe), safe.len);
	int missing = columns - (int)br_words_columns(br_buf_text(&safe));
	br_buf_addf(text, "%*s", missing > 0 ? missing : 0, "");
}

static void add_size(struct br_buf *text, int64_t size_bytes)
{
	br_autobuf struct br_buf words = { 0 };

	br_words_add_size(&words, size_bytes);
	br_buf_addf(text, "%*s", SIZE_COLUMNS, br_buf_text(&words));
}

static int64_t age_seconds(const struct br_inventory *inventory,
	const struct br_held_result *result)
{
	int64_t age_ns = inventory->begun_ns - result->used_ns;

	return age_ns > 0 ? age_ns / 1000000000 : 0;
}

/* Days are all that matters after two of them, and so on. */
static void add_age(struct br_buf *text, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" },
		{ 1, "s" } };
	size_t unit = 0;
	char words[32];

	while (unit < 3 && seconds < 2 * units[unit].seconds)
		unit++;
	(void)snprintf(words, sizeof(words), "%lld %s",
		(long long)(seconds / units[unit].seconds), units[unit].name);
	br_buf_addf(text, "%*s", AGE_COLUMNS, words);
}

static void add_row(void *ctx, const struct br_held_result *result,
	const struct br_user *user)
{
	struct table *table = ctx;
	char key[BR_HASH_TEXT_BYTES];

	br_hash_format(result->identity, key);
	add_padded(table->text, user->stage, table->stage_columns);
	br_buf_add_text(table->text, "  ");
	add_age(table->text, age_seconds(table->inventory, result));
	br_buf_add_text(table->text, "  ");
	add_size(table->text,
		br_inventory_result_bytes(table->inventory, result));
	br_buf_addf(table->text, "  %.*s  ", KEY_CHARS, key);
	br_words_add_safe(table->text, user->project);
	br_buf_add_text(
		table->text, result->is_damaged ? "  (damaged)\n" : "\n");
}

static void add_text(struct br_buf *text, const char *key, struct br_str value)
{
	br_buf_addf(text, "\"%s\":", key);
	br_json_add_string(text, value);
	br_buf_add_char(text, ',');
}

static void add_user(struct br_buf *text, const struct br_user *user)
{
	if (user->stage.data == unknown.data)
		return;
	add_text(text, "stage", user->stage);
	add_text(text, "project", user->project);
}

static void add_object(void *ctx, const struct br_held_result *result,
	const struct br_user *user)
{
	struct table *table = ctx;
	char key[BR_HASH_TEXT_BYTES];
	char used[BR_CLOCK_TEXT_BYTES];

	br_hash_format(result->identity, key);
	br_clock_format(result->used_ns / 1000, used);
	br_buf_add_char(table->text, '{');
	add_user(table->text, user);
	add_text(table->text, "key", br_str(key));
	add_text(table->text, "used", br_str(used));
	if (result->is_damaged)
		br_buf_add_text(table->text, "\"damaged\":true,");
	br_buf_add_text(table->text, "\"bytes\":");
	br_json_add_int(table->text,
		br_inventory_result_bytes(table->inventory, result));
	br_buf_add_text(table->text, "}\n");
}

void cache_table_format(
	const struct br_inventory *inventory, bool is_json, struct br_buf *text)
{
	struct table table = {
		.inventory = inventory,
		.text = text,
		.stage_columns = STAGE_COLUMNS_MIN,
	};

	if (is_json) {
		each_row(inventory, add_object, &table);
		return;
	}
	if (inventory->result_count == 0)
		return;
	each_row(inventory, widen, &table);
	br_buf_addf(text, "%-*s  %*s  %*s  %-*s  %s\n", table.stage_columns,
		"STAGE", AGE_COLUMNS, "USED", SIZE_COLUMNS, "SIZE", KEY_CHARS,
		"KEY", "PROJECT");
	each_row(inventory, add_row, &table);
}

struct sums {
	const struct br_inventory *inventory;
	struct sum *items;
	size_t count;
	size_t capacity;
};

static void collect(void *ctx, const struct br_held_result *result,
	const struct br_user *user)
{
	struct sums *sums = ctx;

	sums->items = br_grow(sums->items, sums->count, &sums->capacity,
		sizeof(*sums->items));
	sums->items[sums->count++] = (struct sum){
		.user = *user,
		.result_count = 1,
		.size_bytes =
			br_inventory_result_bytes(sums->inventory, result),
	};
}

static int compare_text(struct br_str a, struct br_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_users(const void *a, const void *b)
{
	const struct sum *left = a;
	const struct sum *right = b;
	int order = compare_text(left->user.project, right->user.project);

	return order != 0 ? order
			  : compare_text(left->user.stage, right->user.stage);
}

static int compare_sizes(const void *a, const void *b)
{
	const struct sum *left = a;
	const struct sum *right = b;

	if (left->size_bytes != right->size_bytes)
		return left->size_bytes > right->size_bytes ? -1 : 1;
	return compare_users(a, b);
}

/* Have one sum for each stage. */
static void add_up(struct sums *sums)
{
	size_t kept = 0;

	if (sums->count == 0)
		return;
	qsort(sums->items, sums->count, sizeof(*sums->items), compare_users);
	for (size_t i = 1; i < sums->count; i++) {
		struct sum *sum = &sums->items[i];

		if (compare_users(&sums->items[kept], sum) != 0) {
			sums->items[++kept] = *sum;
			continue;
		}
		sums->items[kept].result_count++;
		sums->items[kept].size_bytes += sum->size_bytes;
	}
	sums->count = kept + 1;
	qsort(sums->items, sums->count, sizeof(*sums->items), compare_sizes);
}

static void add_sum(struct br_buf *text, const struct sum *sum, bool is_json)
{
	if (is_json) {
		br_buf_add_char(text, '{');
		add_user(text, &sum->user);
		br_buf_addf(
			text, "\"results\":%zu,\"bytes\":", sum->result_count);
		br_json_add_int(text, sum->size_bytes);
		br_buf_add_text(text, "}\n");
		return;
	}
	add_size(text, sum->size_bytes);
	br_buf_addf(text, "  %7zu  ", sum->result_count);
	br_words_add_safe(text, sum->user.stage);
	br_buf_add_text(text, "  ");
	br_words_add_safe(text, sum->user.project);
	br_buf_add_char(text, '\n');
}

static void add_total(
	const struct br_inventory *inventory, bool is_json, struct br_buf *text)
{
	if (is_json) {
		br_buf_addf(text, "{\"total\":true,\"results\":%zu,\"bytes\":",
			inventory->result_count);
		br_json_add_int(text, inventory->size_bytes);
		br_buf_add_text(text, "}\n");
		return;
	}
	add_size(text, inventory->size_bytes);
	br_buf_addf(text, "  %7zu  in all\n", inventory->result_count);
}

void cache_sums_format(
	const struct br_inventory *inventory, bool is_json, struct br_buf *text)
{
	struct sums sums = { .inventory = inventory };

	each_row(inventory, collect, &sums);
	add_up(&sums);
	if (!is_json)
		br_buf_addf(text, "%*s  %7s  %s\n", SIZE_COLUMNS, "SIZE",
			"RESULTS", "STAGE AND PROJECT");
	for (size_t i = 0; i < sums.count; i++)
		add_sum(text, &sums.items[i], is_json);
	add_total(inventory, is_json, text);
	free(sums.items);
}
