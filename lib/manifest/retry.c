/* SPDX-License-Identifier: MIT */
#include "manifest/retry.h"

#include <string.h>

#include "base/parse.h"

/* More attempts than that are a loop, not a retry. */
enum { RETRY_MAX = 100 };

static void read_max(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_retry *retry = into;
	int64_t max = 0;

	if (br_read_int(reader, entry, "'max'", "a number from 1 to 100", 1,
		    RETRY_MAX, &max))
		retry->max = (unsigned)max;
}

/* Take one condition: a word, or the status that a step ended with. */
static void read_condition(struct br_reader *reader,
	const struct br_entry *entry, const char *name, struct br_retry *retry)
{
	const struct br_node *node = entry->value;
	bool is_text = node->kind == BR_NODE_SCALAR;
	int64_t status = 0;

	if (is_text && !strcmp(node->text, "timeout"))
		retry->on_timeout = true;
	else if (is_text && !strcmp(node->text, "engine"))
		retry->on_engine = true;
	else if (br_read_int(reader, entry, name,
			 "an exit code from 1 to 255, timeout or engine", 1,
			 UINT8_MAX, &status))
		retry->statuses[retry->status_count++] = (uint8_t)status;
}

static void read_on(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_retry *retry = into;
	const struct br_node *node = entry->value;
	bool is_list = node->kind == BR_NODE_LIST;
	size_t count = is_list ? node->entry_count : 1;

	retry->has_conditions = true;
	retry->statuses = br_arena_array(
		&reader->manifest->arena, count, sizeof(*retry->statuses));
	if (count == 0)
		br_read_fail(reader, entry->place,
			"without 'on' the stage is tried again after any "
			"failure",
			"'on' is an empty list, so that nothing is tried "
			"again");
	for (size_t i = 0; i < count; i++)
		read_condition(reader, is_list ? &node->entries[i] : entry,
			is_list ? "an item of 'on'" : "'on'", retry);
}

static void read_delay(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_retry *retry = into;
	struct br_err err = { 0 };
	const char *text = br_read_text(
		reader, entry, "'delay'", "a duration like 500ms, 10s or 1m");

	if (text && !br_parse_duration(text, &retry->delay_ms, &err))
		br_read_fail(reader, entry->place,
			"leave it out to try again at once", err.text);
}

static void read_form(struct br_reader *reader, const struct br_entry *entry,
	struct br_retry *retry)
{
	static const struct br_key rows[] = {
		{ .name = "max", .read = read_max },
		{ .name = "on", .read = read_on },
		{ .name = "delay", .read = read_delay },
	};
	static const struct br_keys keys = {
		.rows = rows,
		.count = sizeof(rows) / sizeof(rows[0]),
		.owner = "'retry'",
	};
	const struct br_entry *max = br_node_find(entry->value, "max");

	(void)br_read_mapping(reader, entry, &keys, retry);
	if (!max || br_node_is_null(max->value))
		br_read_fail(reader, entry->place,
			"as in retry: {max: 2, on: timeout}",
			"'retry' must have 'max', how often it is tried again");
}

void br_retry_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	struct br_retry retry = { 0 };
	int64_t max = 0;

	if (entry->value->kind == BR_NODE_MAPPING) {
		read_form(reader, entry, &retry);
	} else {
		if (!br_read_int(reader, entry, "'retry'",
			    "a number from 0 to 100, or a mapping with 'max'",
			    0, RETRY_MAX, &max))
			return;
		retry.max = (unsigned)max;
	}
	stage->retry = retry;
}
