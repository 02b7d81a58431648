/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "cmd/why/why_text.h"
#include "cmd/why/why_walk.h"

static void add_text(struct br_buf *json, const char *key, const char *text)
{
	br_buf_addf(json, ",\"%s\":", key);
	br_json_add_string(json, br_str(text));
}

static void add_bool(struct br_buf *json, const char *key, bool value)
{
	br_buf_addf(json, ",\"%s\":%s", key, value ? "true" : "false");
}

static void add_time(struct br_buf *json, const char *key, int64_t then_ns)
{
	char text[BR_CLOCK_TEXT_BYTES];

	br_clock_format(then_ns / 1000, text);
	add_text(json, key, text);
}

/* The elements of an array. */
struct array {
	struct why_walk walk;
	struct br_buf *json;
	const char *between;
};

static void add_array(struct array *array);

static void add_difference(void *ctx, const struct br_difference *difference)
{
	struct array *array = ctx;
	struct br_buf *json = array->json;
	struct array inner = { .json = json };

	br_buf_addf(json, "%s{\"kind\":\"%s\",\"ingredient\":", array->between,
		br_difference_kind_name(difference->kind));
	br_json_add_string(json, difference->ingredient);
	br_buf_add_text(json, ",\"name\":");
	br_json_add_string(json, difference->name);
	if (why_walk_into(&array->walk, difference, &inner.walk))
		add_array(&inner);
	br_buf_add_char(json, '}');
	array->between = ",";
}

/* With its key, which is the same everywhere. */
static void add_array(struct array *array)
{
	struct br_err err = { 0 };

	array->between = "";
	br_buf_add_text(array->json, ",\"differences\":[");
	bool is_whole =
		why_walk_each(&array->walk, add_difference, array, &err);
	br_buf_add_char(array->json, ']');
	if (!is_whole)
		add_text(array->json, "why", err.text);
}

static void add_differences(const struct br_why *why,
	const struct br_why_stage *stage, bool is_past, struct br_buf *json)
{
	br_autofree bool *told =
		br_alloc_array(why->plan->stage_count, sizeof(*told));
	struct array array = {
		.walk = { .why = why,
			.stage = stage,
			.is_past = is_past,
			.told = told },
		.json = json,
	};

	add_array(&array);
}

static const char *result_name(enum br_last_run_result result)
{
	switch (result) {
	case BR_LAST_RUN_NO_RESULT:
		return "none";
	case BR_LAST_RUN_STORED:
		return "stored";
	case BR_LAST_RUN_REFUSED:
		return "refused";
	}
	return "";
}

static void add_last_run(const struct br_why *why,
	const struct br_why_stage *stage, struct br_buf *json)
{
	const struct br_last_run *last_run = &stage->last_run;

	br_buf_addf(json, ",\"last_run\":{\"result\":\"%s\"",
		result_name(last_run->result));
	add_time(json, "time", last_run->written_ns);
	if (last_run->refusal)
		add_text(json, "refusal", last_run->refusal);
	if (last_run->cause)
		add_text(json, "why", last_run->cause);
	add_differences(why, stage, true, json);
	br_buf_add_char(json, '}');
}

void why_json_format(
	const struct br_why *why, size_t stage, struct br_buf *text)
{
	const struct br_why_stage *found = &why->stages[stage];
	char key[BR_HASH_TEXT_BYTES];

	br_buf_add_text(text, "{\"stage\":");
	br_json_add_string(text, br_str(why->plan->stages[stage].name));
	add_text(text, "state", br_why_state_name(found->state));
	if (found->text[0] != '\0')
		add_text(text, "why", found->text);
	if (found->has_identity) {
		br_hash_format(found->identity, key);
		add_text(text, "key", key);
		add_bool(text, "stored", found->has_result);
	}
	if (found->has_before)
		add_time(text, "looked_at", found->before.written_ns);
	if (found->state == BR_WHY_CHANGED)
		add_differences(why, found, false, text);
	else
		br_buf_add_text(text, ",\"differences\":[]");
	if (found->has_last_run)
		add_last_run(why, found, text);
	br_buf_add_text(text, "}\n");
}
