/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "plan/format.h"

/* U+FFFD, for each byte that is not UTF-8. */
static const char replacement[] = "\xef\xbf\xbd";

/* A path may be any bytes, JSON is text. NULL becomes null. */
static cJSON *new_text(const char *value)
{
	br_autobuf struct br_buf text = { 0 };
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return cJSON_CreateNull();
	for (size_t i = 0; i < len;) {
		size_t whole = br_utf8_valid_len(value + i, len - i);

		br_buf_add(&text, value + i, whole);
		i += whole;
		if (i < len) {
			br_buf_add_text(&text, replacement);
			i++;
		}
	}
	return cJSON_CreateString(br_buf_text(&text));
}

static void add_text(cJSON *object, const char *key, const char *value)
{
	cJSON_AddItemToObject(object, key, new_text(value));
}

static void add_texts(cJSON *object, const char *key, const char *const *values)
{
	cJSON *list = cJSON_AddArrayToObject(object, key);

	for (size_t i = 0; values[i]; i++)
		cJSON_AddItemToArray(list, new_text(values[i]));
}

static void add_steps(cJSON *object, const struct br_plan_stage *stage)
{
	cJSON *steps = cJSON_AddArrayToObject(object, "steps");

	for (size_t i = 0; i < stage->step_count; i++) {
		cJSON *step = cJSON_CreateObject();

		add_text(step, "command", stage->steps[i].command);
		cJSON_AddNumberToObject(step, "line", stage->steps[i].line);
		cJSON_AddItemToArray(steps, step);
	}
}

static void add_needs(cJSON *object, const struct br_plan *plan,
	const struct br_plan_stage *stage)
{
	const struct br_plan_indexes *needs = &plan->groups[stage->group].needs;
	cJSON *list = cJSON_AddArrayToObject(object, "needs");

	for (size_t i = 0; i < needs->count; i++)
		cJSON_AddItemToArray(
			list, new_text(plan->groups[needs->items[i]].name));
}

static void add_services(cJSON *object, const struct br_plan *plan,
	const struct br_plan_stage *stage)
{
	cJSON *list = cJSON_AddArrayToObject(object, "services");

	for (size_t i = 0; i < stage->services.count; i++)
		cJSON_AddItemToArray(list,
			new_text(plan->services[stage->services.items[i]]
					 .alias));
}

/* In seconds, as everywhere in JSON; null: none. */
static void add_duration(cJSON *object, const char *key, int64_t duration_ms)
{
	if (duration_ms > 0)
		cJSON_AddNumberToObject(
			object, key, (double)duration_ms / 1000);
	else
		cJSON_AddNullToObject(object, key);
}

static cJSON *new_stage(
	const struct br_plan *plan, const struct br_plan_stage *stage)
{
	static const char *const statuses[] = {
		[BR_WHEN_SUCCESS] = "success",
		[BR_WHEN_FAILURE] = "failure",
		[BR_WHEN_ALWAYS] = "always",
	};
	cJSON *object = cJSON_CreateObject();

	add_text(object, "name", stage->name);
	add_text(object, "stage", plan->groups[stage->group].name);
	cJSON_AddBoolToObject(object, "runs", stage->skip == BR_SKIP_NOT);
	add_text(object, "why", stage->why);
	add_needs(object, plan, stage);
	add_text(object, "status", statuses[stage->status]);
	add_text(object, "image", stage->image);
	add_services(object, plan, stage);
	add_text(object, "workdir", stage->workdir);
	add_text(object, "user", stage->user);
	add_duration(object, "timeout", stage->timeout_ms);
	cJSON_AddNumberToObject(object, "retry", stage->retry.max);
	cJSON_AddBoolToObject(object, "cached", stage->is_cached);
	add_duration(object, "kept", stage->kept_ms);
	add_texts(object, "inputs", stage->inputs);
	add_texts(object, "outputs", stage->outputs);
	add_steps(object, stage);
	return object;
}

void br_format_json(const struct br_plan *plan, struct br_buf *text)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddNumberToObject(object, "version", 1);
	add_text(object, "project", plan->project_dir);
	add_text(object, "manifest", plan->manifest);
	add_text(object, "image", plan->image);
	add_texts(object, "warnings", plan->warnings);

	cJSON *stages = cJSON_AddArrayToObject(object, "stages");
	for (size_t i = 0; i < plan->stage_count; i++)
		cJSON_AddItemToArray(stages, new_stage(plan, &plan->stages[i]));

	char *printed = cJSON_PrintUnformatted(object);
	if (!printed)
		br_out_of_memory();
	br_buf_add_text(text, printed);
	br_buf_add_char(text, '\n');
	cJSON_free(printed);
	cJSON_Delete(object);
}
