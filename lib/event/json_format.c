/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "event/json.h"

static const void *get_member(
	const struct br_event *event, const struct br_event_field *field)
{
	return (const char *)event + field->offset;
}

/* Start a member after the first; keys are ours and need no escapes. */
static void add_key(struct br_buf *line, const char *name)
{
	br_buf_add(line, ",\"", 2);
	br_buf_add_text(line, name);
	br_buf_add(line, "\":", 2);
}

static void add_name(struct br_buf *line, const char *name)
{
	br_json_add_string(line, br_str(name));
}

static void add_bytes(struct br_buf *line, const struct br_str *data)
{
	if (br_utf8_is_valid(data->data, data->len)) {
		add_key(line, "text");
		br_json_add_string(line, *data);
		return;
	}
	add_key(line, "base64");
	br_buf_add_char(line, '"');
	br_base64_encode(BR_BASE64_STANDARD, data->data, data->len, line);
	br_buf_add_char(line, '"');
}

static void add_names(struct br_buf *line, const struct br_names *names)
{
	br_buf_add_char(line, '[');
	for (size_t i = 0; i < names->count; i++) {
		if (i > 0)
			br_buf_add_char(line, ',');
		add_name(line, names->items[i]);
	}
	br_buf_add_char(line, ']');
}

static void add_host(struct br_buf *line, const struct br_event_host *host)
{
	assert(host->name && host->system && host->release && host->machine);
	br_buf_add_text(line, "{\"name\":");
	add_name(line, host->name);
	add_key(line, "system");
	add_name(line, host->system);
	add_key(line, "release");
	add_name(line, host->release);
	add_key(line, "machine");
	add_name(line, host->machine);
	br_buf_add_char(line, '}');
}

static void add_results(
	struct br_buf *line, const struct br_stage_results *results)
{
	br_buf_add_char(line, '{');
	for (size_t i = 0; i < results->count; i++) {
		if (i > 0)
			br_buf_add_char(line, ',');
		add_name(line, results->items[i].stage);
		br_buf_add_char(line, ':');
		add_name(line, br_result_name(results->items[i].result));
	}
	br_buf_add_char(line, '}');
}

/* Say whether an optional field has no value. */
static bool is_absent(const void *member, enum br_field_kind kind)
{
	switch (kind) {
	case BR_FIELD_STRING:
		return !*(const char *const *)member;
	case BR_FIELD_INT:
		return *(const int64_t *)member < 0;
	case BR_FIELD_COUNT:
		return *(const int64_t *)member == 0;
	case BR_FIELD_REASON:
		return *(const enum br_reason *)member == BR_REASON_NONE;
	case BR_FIELD_NAMES:
		return !((const struct br_names *)member)->items;
	case BR_FIELD_SECONDS:
	case BR_FIELD_STREAM:
	case BR_FIELD_LEVEL:
	case BR_FIELD_RESULT:
	case BR_FIELD_BYTES:
	case BR_FIELD_HOST:
		return !((const struct br_event_host *)member)->name;
	case BR_FIELD_RESULTS:
		return false;
	}
	return false;
}

static void add_value(
	struct br_buf *line, const void *member, enum br_field_kind kind)
{
	switch (kind) {
	case BR_FIELD_STRING:
		/* Whoever made the event left a required field out. */
		assert(*(const char *const *)member);
		add_name(line, *(const char *const *)member);
		break;
	case BR_FIELD_INT:
	case BR_FIELD_COUNT:
		br_json_add_int(line, *(const int64_t *)member);
		break;
	case BR_FIELD_SECONDS:
		br_json_add_seconds(line, *(const double *)member);
		break;
	case BR_FIELD_STREAM:
		add_name(line, br_stream_name(*(const enum br_stream *)member));
		break;
	case BR_FIELD_LEVEL:
		add_name(line, br_level_name(*(const enum br_level *)member));
		break;
	case BR_FIELD_RESULT:
		add_name(line, br_result_name(*(const enum br_result *)member));
		break;
	case BR_FIELD_REASON:
		add_name(line, br_reason_name(*(const enum br_reason *)member));
		break;
	case BR_FIELD_NAMES:
		add_names(line, member);
		break;
	case BR_FIELD_HOST:
		add_host(line, member);
		break;
	case BR_FIELD_RESULTS:
		add_results(line, member);
		break;
	case BR_FIELD_BYTES:
		break; /* the key depends on the value: add_bytes() */
	}
}

static void add_common(struct br_buf *line, const struct br_event *event)
{
	char time[BR_CLOCK_TEXT_BYTES];

	br_clock_format(event->wall_us, time);
	br_buf_add_text(line, "{\"v\":1,\"seq\":");
	br_json_add_int(line, (int64_t)event->seq);
	add_key(line, "try");
	br_json_add_int(line, event->attempt);
	add_key(line, "ts");
	add_name(line, time);
	add_key(line, "build");
	add_name(line, event->build);
	add_key(line, "type");
	add_name(line, br_event_descs[event->type].name);
}

void br_event_format(const struct br_event *event, struct br_buf *line)
{
	const struct br_event_desc *desc = &br_event_descs[event->type];

	add_common(line, event);
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct br_event_field *field = &desc->fields[i];
		const void *member = get_member(event, field);

		if (field->kind == BR_FIELD_BYTES) {
			add_bytes(line, member);
			continue;
		}
		if (field->is_optional && is_absent(member, field->kind))
			continue;
		add_key(line, field->name);
		add_value(line, member, field->kind);
	}
	br_buf_add(line, "}\n", 2);
}
