/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "event/json.h"
#include "event/json_tree.h"

static bool fail_kind(
	struct br_err *err, const char *name, const char *expected)
{
	return br_fail(err, BR_EINPUT, "'%s' is not %s", name, expected);
}

static const cJSON *find(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Gives NULL, with `err` filled, where the field is not there. */
static const cJSON *get(
	const cJSON *object, const char *name, struct br_err *err)
{
	const cJSON *found = find(object, name);

	if (!found)
		br_fail(err, BR_EINPUT, "no '%s'", name);
	return found;
}

/* Gives NULL, with `err` filled, where the field is no text. */
static const char *get_text(
	const cJSON *object, const char *name, struct br_err *err)
{
	const cJSON *item = get(object, name, err);

	if (!item)
		return NULL;
	if (!br_json_tree_is_text(item)) {
		fail_kind(err, name, "a text");
		return NULL;
	}
	return item->valuestring;
}

static bool get_int(const cJSON *object, const char *name, int64_t min,
	int64_t max, int64_t *value, struct br_err *err)
{
	const cJSON *item = get(object, name, err);

	if (!item)
		return false;
	if (!br_json_tree_is_int(item, min, max))
		return fail_kind(err, name, "such a whole number");
	*value = (int64_t)item->valuedouble;
	return true;
}

static bool parse_string(const cJSON *object, const char *name,
	struct br_arena *arena, const char **member, struct br_err *err)
{
	const char *text = get_text(object, name, err);

	if (!text)
		return false;
	*member = br_arena_strdup(arena, text);
	return true;
}

static bool parse_seconds(const cJSON *object, const char *name, double *member,
	struct br_err *err)
{
	const cJSON *item = get(object, name, err);

	if (!item)
		return false;
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
		item->valuedouble > BR_JSON_SECONDS_MAX)
		return fail_kind(err, name, "a time in seconds");
	*member = item->valuedouble;
	return true;
}

static bool parse_stream(const cJSON *object, const char *name,
	enum br_stream *member, struct br_err *err)
{
	const char *text = get_text(object, name, err);

	if (!text)
		return false;
	return br_stream_find(text, member) || fail_kind(err, name, "a stream");
}

static bool parse_level(const cJSON *object, const char *name,
	enum br_level *member, struct br_err *err)
{
	const char *text = get_text(object, name, err);

	if (!text)
		return false;
	return br_level_find(text, member) || fail_kind(err, name, "a level");
}

static bool parse_result(const cJSON *object, const char *name,
	enum br_result *member, struct br_err *err)
{
	const char *text = get_text(object, name, err);

	if (!text)
		return false;
	return br_result_find(text, member) || fail_kind(err, name, "a result");
}

static bool parse_reason(const cJSON *object, const char *name,
	enum br_reason *member, struct br_err *err)
{
	const char *text = get_text(object, name, err);

	if (!text)
		return false;
	return br_reason_find(text, member) || fail_kind(err, name, "a reason");
}

static struct br_str restore_nuls(struct br_arena *arena, const char *text)
{
	size_t len = strlen(text);
	char *data = br_arena_memdup(arena, text, len);

	for (size_t i = 0; i < len; i++)
		if (data[i] == (char)BR_JSON_NUL)
			data[i] = '\0';
	return (struct br_str){ .data = data, .len = len };
}

static bool parse_base64(const char *text, struct br_arena *arena,
	struct br_str *member, struct br_err *err)
{
	br_autobuf struct br_buf data = { 0 };

	if (!br_base64_decode(text, strlen(text), &data, err))
		return br_wrap(err, "'base64'");
	member->data = br_arena_memdup(arena, br_buf_text(&data), data.len);
	member->len = data.len;
	return true;
}

static bool parse_bytes(const cJSON *object, struct br_arena *arena,
	struct br_str *member, struct br_err *err)
{
	const cJSON *text = find(object, "text");
	const cJSON *base64 = find(object, "base64");

	if (!text == !base64)
		return br_fail(err, BR_EINPUT,
			"not one of 'text' and 'base64' but %s",
			text ? "both" : "neither");
	if (base64 && !br_json_tree_is_text(base64))
		return fail_kind(err, "base64", "a text");
	if (base64)
		return parse_base64(base64->valuestring, arena, member, err);
	if (!cJSON_IsString(text))
		return fail_kind(err, "text", "a text");
	*member = restore_nuls(arena, text->valuestring);
	return true;
}

static bool parse_names(const cJSON *object, const char *name,
	struct br_arena *arena, struct br_names *member, struct br_err *err)
{
	const cJSON *array = get(object, name, err);
	size_t count = 0;

	if (!array)
		return false;
	if (!cJSON_IsArray(array))
		return fail_kind(err, name, "a list");

	size_t size = (size_t)cJSON_GetArraySize(array);
	const char **items = br_arena_array(arena, size, sizeof(*items));

	for (const cJSON *item = array->child; item; item = item->next) {
		if (!br_json_tree_is_text(item))
			return fail_kind(err, name, "a list of texts");
		items[count++] = br_arena_strdup(arena, item->valuestring);
	}
	*member = (struct br_names){ .items = items, .count = count };
	return true;
}

/* Gives NULL, with `err` filled, where the field is no object. */
static const cJSON *get_object(
	const cJSON *object, const char *name, struct br_err *err)
{
	const cJSON *item = get(object, name, err);

	if (!item)
		return NULL;
	if (!cJSON_IsObject(item)) {
		fail_kind(err, name, "an object");
		return NULL;
	}
	if (!br_json_tree_check_keys(item, err)) {
		br_wrap(err, "'%s'", name);
		return NULL;
	}
	return item;
}

static bool parse_host(const cJSON *object, const char *name,
	struct br_arena *arena, struct br_event_host *member,
	struct br_err *err)
{
	const cJSON *host = get_object(object, name, err);

	if (!host)
		return false;
	if (parse_string(host, "name", arena, &member->name, err) &&
		parse_string(host, "system", arena, &member->system, err) &&
		parse_string(host, "release", arena, &member->release, err) &&
		parse_string(host, "machine", arena, &member->machine, err))
		return true;
	return br_wrap(err, "'%s'", name);
}

static bool parse_results(const cJSON *object, const char *name,
	struct br_arena *arena, struct br_stage_results *member,
	struct br_err *err)
{
	const cJSON *stages = get_object(object, name, err);
	size_t count = 0;

	if (!stages)
		return false;

	size_t size = (size_t)cJSON_GetArraySize(stages);
	struct br_stage_result *items =
		br_arena_array(arena, size, sizeof(*items));

	for (const cJSON *item = stages->child; item; item = item->next) {
		struct br_stage_result *result = &items[count++];

		if (strchr(item->string, BR_JSON_NUL) ||
			!br_json_tree_is_text(item) ||
			!br_result_find(item->valuestring, &result->result))
			return fail_kind(err, name, "the results of stages");
		result->stage = br_arena_strdup(arena, item->string);
	}
	*member = (struct br_stage_results){ .items = items, .count = count };
	return true;
}

/* The member has no value: what is_absent() of json_format.c looks for. */
static void set_absent(void *member, enum br_field_kind kind)
{
	if (kind == BR_FIELD_INT)
		*(int64_t *)member = -1;
	/* The rest is zero already. */
}

static bool parse_field(const cJSON *object, const struct br_event_field *field,
	struct br_arena *arena, struct br_event *event, struct br_err *err)
{
	void *member = (char *)event + field->offset;

	if (field->is_optional && !find(object, field->name)) {
		set_absent(member, field->kind);
		return true;
	}
	switch (field->kind) {
	case BR_FIELD_STRING:
		return parse_string(object, field->name, arena, member, err);
	case BR_FIELD_INT:
	case BR_FIELD_COUNT:
		return get_int(object, field->name, -BR_JSON_INT_MAX,
			BR_JSON_INT_MAX, member, err);
	case BR_FIELD_SECONDS:
		return parse_seconds(object, field->name, member, err);
	case BR_FIELD_STREAM:
		return parse_stream(object, field->name, member, err);
	case BR_FIELD_LEVEL:
		return parse_level(object, field->name, member, err);
	case BR_FIELD_RESULT:
		return parse_result(object, field->name, member, err);
	case BR_FIELD_REASON:
		return parse_reason(object, field->name, member, err);
	case BR_FIELD_BYTES:
		return parse_bytes(object, arena, member, err);
	case BR_FIELD_NAMES:
		return parse_names(object, field->name, arena, member, err);
	case BR_FIELD_HOST:
		return parse_host(object, field->name, arena, member, err);
	case BR_FIELD_RESULTS:
		return parse_results(object, field->name, arena, member, err);
	}
	abort();
}

static bool parse_time(
	const cJSON *object, struct br_event *event, struct br_err *err)
{
	const char *text = get_text(object, "ts", err);

	if (!text)
		return false;
	return br_clock_parse(text, &event->wall_us, err) ||
		br_wrap(err, "'ts'");
}

static bool parse_build(
	const cJSON *object, struct br_event *event, struct br_err *err)
{
	const char *text = get_text(object, "build", err);

	if (!text)
		return false;
	if (!br_uuid_is_valid(text))
		return fail_kind(err, "build", "a UUID");
	memcpy(event->build, text, sizeof(event->build));
	return true;
}

static bool parse_type(
	const cJSON *object, struct br_event *event, struct br_err *err)
{
	const char *text = get_text(object, "type", err);

	if (!text)
		return false;
	if (!br_event_type_find(text, &event->type))
		return br_fail(err, BR_EINPUT, "an unknown type");
	return true;
}

static bool parse_common(
	const cJSON *object, struct br_event *event, struct br_err *err)
{
	int64_t version = 0;
	int64_t seq = 0;
	int64_t attempt = 0;

	if (!get_int(object, "v", 1, 1, &version, err) ||
		!get_int(object, "seq", 1, BR_JSON_INT_MAX, &seq, err) ||
		!get_int(object, "try", 1, UINT32_MAX, &attempt, err))
		return false;
	event->seq = (uint64_t)seq;
	event->attempt = (uint32_t)attempt;
	return parse_time(object, event, err) &&
		parse_build(object, event, err) &&
		parse_type(object, event, err);
}

static bool parse_object(const cJSON *object, struct br_arena *arena,
	struct br_event *event, struct br_err *err)
{
	struct br_event parsed = { 0 };

	if (!br_json_tree_check_keys(object, err) ||
		!parse_common(object, &parsed, err))
		return false;

	const struct br_event_desc *desc = &br_event_descs[parsed.type];

	for (size_t i = 0; i < desc->field_count; i++)
		if (!parse_field(object, &desc->fields[i], arena, &parsed, err))
			return br_wrap(err, "%s", desc->name);
	*event = parsed;
	return true;
}

bool br_event_parse(struct br_str text, struct br_arena *arena,
	struct br_event *event, struct br_err *err)
{
	cJSON *object = NULL;

	if (text.len > BR_LIMIT_EVENT_BYTES)
		return br_fail(err, BR_EINPUT, "an event of more than %d bytes",
			BR_LIMIT_EVENT_BYTES);
	if (!br_json_tree_parse(text, &object, err))
		return false;

	bool is_good = parse_object(object, arena, event, err);

	cJSON_Delete(object);
	return is_good;
}
