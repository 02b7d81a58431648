/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "event/json.h"
#include "event_samples.h"

#define HEAD \
	"{\"v\":1,\"seq\":7,\"try\":1," \
	"\"ts\":\"2026-11-21T02:30:00.123456Z\"," \
	"\"build\":\"0192f0c1-2b3c-7d4e-8f50-61728394a5b6\","
#define NOTICE "\"type\":\"notice\",\"level\":\"info\","

static bool parse(struct br_str text, struct br_arena *arena,
	struct br_event *event, struct br_err *err)
{
	return br_event_parse(text, arena, event, err);
}

/* Parse `text`, format the event again, and compare with `expected`. */
static void assert_becomes(struct br_str text, const char *expected)
{
	br_autobuf struct br_buf again = { 0 };
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err err = { 0 };

	if (!parse(text, &arena, &event, &err))
		fail_msg("%s", err.text);
	br_event_format(&event, &again);
	assert_string_equal(br_buf_text(&again), expected);
	br_arena_done(&arena);
}

/* `why` may be NULL: for some reason. */
static void assert_refused(struct br_str text, const char *why)
{
	struct br_arena arena = { 0 };
	struct br_event event = { .seq = 4711 };
	struct br_err err = { 0 };

	if (parse(text, &arena, &event, &err))
		fail_msg("taken: %.*s", (int)text.len, text.data);
	assert_int_equal(err.code, BR_EINPUT);
	if (why)
		assert_string_equal(err.text, why);
	assert_int_equal(event.seq, 4711);
	br_arena_done(&arena);
}

static void writes_the_line_of_the_contract(void **state)
{
	struct br_event event = {
		.type = BR_EVENT_STEP_FINISHED,
		.seq = 7,
		.attempt = 1,
		.wall_us = INT64_C(1795228200123456),
		.build = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6",
		.step_finished = {
			.stage = "build",
			.step = 2,
			.status = 127,
			.seconds = 1.5,
			.cpu_seconds = 0.000012,
			.max_rss = 1048576,
		},
	};
	br_autobuf struct br_buf line = { 0 };

	(void)state;
	br_event_format(&event, &line);
	assert_string_equal(br_buf_text(&line),
		HEAD
		"\"type\":\"step.finished\",\"stage\":\"build\",\"step\":2,"
		"\"status\":127,\"seconds\":1.5,\"cpu_seconds\":0.000012,"
		"\"max_rss\":1048576}\n");
}

static void every_sample_comes_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < event_sample_count(); i++) {
		br_autobuf struct br_buf line = { 0 };

		br_event_format(event_sample_get(i), &line);
		assert_becomes(br_buf_str(&line), br_buf_text(&line));
	}
}

/* Give the field `stage` as the table has it, or NULL. */
static const char *field_stage(const struct br_event *event)
{
	const struct br_event_desc *desc = &br_event_descs[event->type];
	const char *stage = NULL;

	for (size_t i = 0; i < desc->field_count; i++)
		if (strcmp(desc->fields[i].name, "stage") == 0)
			memcpy(&stage,
				(const char *)event + desc->fields[i].offset,
				sizeof(stage));
	return stage;
}

static void finds_the_stage_of_each_event_that_has_one(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < event_sample_count(); i++) {
		const struct br_event *event = event_sample_get(i);
		const char *stage = field_stage(event);

		count += stage ? 1 : 0;
		assert_ptr_equal(br_event_find_stage(event), stage);
	}
	assert_true(count > 8);
}

static void no_line_that_is_cut_off_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < event_sample_count(); i++) {
		br_autobuf struct br_buf line = { 0 };
		struct br_str cut = { 0 };

		br_event_format(event_sample_get(i), &line);
		cut.data = line.data;
		for (cut.len = 0; cut.len < line.len - 1; cut.len++)
			assert_refused(cut, NULL);
	}
}

/* The same bytes come out, at the end of `line` as `json`. */
static void assert_output(struct br_str data, const char *json)
{
	struct br_event event = {
		.type = BR_EVENT_OUTPUT,
		.seq = 7,
		.attempt = 1,
		.wall_us = INT64_C(1795228200123456),
		.build = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6",
		.output = { .stage = "s", .step = 1, .data = data },
	};
	br_autobuf struct br_buf line = { 0 };
	struct br_arena arena = { 0 };
	struct br_event parsed = { 0 };
	struct br_err err = { 0 };

	br_event_format(&event, &line);
	assert_true(line.len > strlen(json) + 2);
	assert_memory_equal(
		line.data + line.len - strlen(json) - 2, json, strlen(json));
	assert_true(parse(br_buf_str(&line), &arena, &parsed, &err));
	assert_int_equal(parsed.output.data.len, data.len);
	assert_memory_equal(parsed.output.data.data, data.data, data.len);
	br_arena_done(&arena);
}

#define BYTES(text) ((struct br_str){ (text), sizeof(text) - 1 })

static void output_keeps_every_byte(void **state)
{
	(void)state;
	assert_output(BYTES("plain, longer than one block of the escaper\n"),
		"\"text\":\"plain, longer than one block of the escaper\\n\"");
	assert_output(
		BYTES("a\0b\\u0000\n"), "\"text\":\"a\\u0000b\\\\u0000\\n\"");
	assert_output(BYTES("\1\x1b[1m\x7f\"\\\b\f\r\t/"),
		"\"text\":\"\\u0001\\u001b[1m\\u007f\\\"\\\\\\b\\f\\r\\t/\"");
	assert_output(BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		"\"text\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_output(BYTES("a\0\xff"), "\"base64\":\"YQD/\"");
	assert_output(BYTES("\xed\xa0\x80"), "\"base64\":\"7aCA\"");
	assert_output(BYTES(""), "\"text\":\"\"");
}

static void a_special_character_is_found_at_every_place(void **state)
{
	enum { DATA_BYTES = 40 };
	static const char plain[DATA_BYTES + 1] =
		"0123456789012345678901234567890123456789";

	(void)state;
	for (int at = 0; at < DATA_BYTES; at++) {
		br_autobuf struct br_buf data = { 0 };
		br_autobuf struct br_buf json = { 0 };

		br_buf_addf(&data, "%.*s\"%s", at, plain, plain + at);
		br_buf_addf(&json, "\"text\":\"%.*s\\\"%s\"", at, plain,
			plain + at);
		assert_output(br_buf_str(&data), br_buf_text(&json));
	}
}

static void strings_that_are_not_utf8_are_repaired(void **state)
{
	struct br_event event = {
		.type = BR_EVENT_NOTICE,
		.notice = { .level = BR_LEVEL_ERROR,
			.text = "a\xff\xc3"
				"b\xe2\x82" },
	};
	br_autobuf struct br_buf line = { 0 };

	(void)state;
	br_event_format(&event, &line);
	assert_non_null(strstr(br_buf_text(&line),
		"\"text\":\"a\xef\xbf\xbd\xef\xbf\xbd"
		"b\xef\xbf\xbd\xef\xbf\xbd\"}"));
}

static void fields_that_are_not_known_are_skipped(void **state)
{
	(void)state;
	assert_becomes(br_str(" " HEAD NOTICE
			      "\"text\":\"t\",\"new\":[{\"a\":1,\"a\":2}],"
			      "\"Text\":\"no\"} \r\n"),
		HEAD NOTICE "\"text\":\"t\"}\n");
}

static void optional_fields_may_be_absent(void **state)
{
	static const char pulling[] =
		HEAD "\"type\":\"image.pulling\",\"image\":\"i\"}\n";
	static const char finished[] = HEAD
		"\"type\":\"stage.finished\",\"stage\":\"s\",\"attempt\":1,"
		"\"result\":\"pass\",\"seconds\":2}\n";

	(void)state;
	assert_becomes(br_str(pulling), pulling);
	assert_becomes(br_str(finished), finished);
}

static void refuses_what_is_no_event(void **state)
{
	static const struct {
		struct br_str text;
		const char *why;
	} cases[] = {
		{ BYTES(""), "not a JSON object" },
		{ BYTES("[]"), "not a JSON object" },
		{ BYTES("null"), "not a JSON object" },
		{ BYTES("\xef\xbb\xbf{}"), "not a JSON object" },
		{ BYTES("{}"), "no 'v'" },
		{ BYTES("{\"v\":2}"), "'v' is not such a whole number" },
		{ BYTES(HEAD NOTICE "\"text\":\"t\"} x"), "not a JSON object" },
		{ BYTES(HEAD NOTICE "\"text\":\"t\"}\0"), "not a JSON object" },
		{ BYTES(HEAD NOTICE "\"text\":\"a\tb\"}"),
			"not a JSON object" },
		{ BYTES(HEAD NOTICE "\"text\":\"a\xff\"}"),
			"JSON that is not UTF-8" },
		{ BYTES(HEAD NOTICE "\"text\":\"good\\u0000evil\"}"),
			"notice: 'text' is not a text" },
		{ BYTES(HEAD NOTICE "\"text\":\"\\ud800\"}"),
			"not a JSON object" },
		{ BYTES(HEAD NOTICE "\"text\":7}"),
			"notice: 'text' is not a text" },
		{ BYTES(HEAD NOTICE "\"Text\":\"t\"}"), "notice: no 'text'" },
		{ BYTES(HEAD NOTICE "\"text\":\"a\",\"text\":\"b\"}"),
			"a key is there twice" },
		{ BYTES(HEAD "\"type\":\"nothing\"}"), "an unknown type" },
		{ BYTES(HEAD "\"type\":\"notice\",\"level\":\"\","
			     "\"text\":\"\"}"),
			"notice: 'level' is not a level" },
		{ BYTES(HEAD "\"type\":\"stage.skipped\",\"stage\":\"s\","
			     "\"reason\":\"\"}"),
			"stage.skipped: 'reason' is not a reason" },
		{ BYTES(HEAD "\"type\":\"output\",\"stage\":\"s\",\"step\":1,"
			     "\"stream\":\"stdout\"}"),
			"output: not one of 'text' and 'base64' but neither" },
		{ BYTES(HEAD "\"type\":\"output\",\"stage\":\"s\",\"step\":1,"
			     "\"stream\":\"stdout\",\"text\":\"\","
			     "\"base64\":\"\"}"),
			"output: not one of 'text' and 'base64' but both" },
		{ BYTES(HEAD "\"type\":\"output\",\"stage\":\"s\",\"step\":1.5,"
			     "\"stream\":\"stdout\",\"text\":\"\"}"),
			"output: 'step' is not such a whole number" },
		{ BYTES(HEAD "\"type\":\"output\",\"stage\":\"s\","
			     "\"step\":9007199254740993,"
			     "\"stream\":\"stdout\",\"text\":\"\"}"),
			"output: 'step' is not such a whole number" },
		{ BYTES(HEAD "\"type\":\"build.finished\",\"result\":\"pass\","
			     "\"exit\":0,\"seconds\":1,"
			     "\"stages\":{\"a\":\"pass\",\"a\":\"fail\"}}"),
			"build.finished: 'stages': a key is there twice" },
		{ BYTES(HEAD "\"type\":\"build.finished\",\"result\":\"pass\","
			     "\"exit\":0,\"seconds\":1e999,\"stages\":{}}"),
			"build.finished: 'seconds' is not a time in seconds" },
		{ BYTES("{\"v\":1,\"seq\":1,\"try\":1,"
			"\"ts\":\"2026-11-21T02:30:00.-00001Z\"}"),
			"'ts': '2026-11-21T02:30:00.-00001Z' is not a time" },
		{ BYTES("{\"v\":1,\"seq\":1,\"try\":1,"
			"\"ts\":\"2026-11-21T02:30:00.000001Z\","
			"\"build\":\"12345\"}"),
			"'build' is not a UUID" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].text, cases[i].why);
}

static void refuses_what_is_too_long_or_too_deep(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_buf_add_text(&text, "{\"a\":");
	for (size_t i = 0; i < 100000; i++)
		br_buf_add_char(&text, '[');
	assert_refused(br_buf_str(&text), "not a JSON object");
	while (text.len <= BR_LIMIT_EVENT_BYTES)
		br_buf_add_char(&text, ' ');
	assert_refused(
		br_buf_str(&text), "an event of more than 4194304 bytes");
}

static void seconds_stay_within_what_can_be_read_again(void **state)
{
	static const struct {
		double seconds;
		const char *json;
	} cases[] = {
		{ -1, "\"seconds\":0," },
		{ 1e300, "\"seconds\":1000000000," },
		{ 0.9999999, "\"seconds\":1," },
		{ 100, "\"seconds\":100," },
		{ 999999999.999999, "\"seconds\":999999999.999999," },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct br_event event = {
			.type = BR_EVENT_BUILD_FINISHED,
			.build_finished = { .seconds = cases[i].seconds },
		};
		br_autobuf struct br_buf line = { 0 };

		br_event_format(&event, &line);
		assert_non_null(strstr(br_buf_text(&line), cases[i].json));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_line_of_the_contract),
		cmocka_unit_test(every_sample_comes_back_as_it_was),
		cmocka_unit_test(finds_the_stage_of_each_event_that_has_one),
		cmocka_unit_test(no_line_that_is_cut_off_is_taken),
		cmocka_unit_test(output_keeps_every_byte),
		cmocka_unit_test(a_special_character_is_found_at_every_place),
		cmocka_unit_test(strings_that_are_not_utf8_are_repaired),
		cmocka_unit_test(fields_that_are_not_known_are_skipped),
		cmocka_unit_test(optional_fields_may_be_absent),
		cmocka_unit_test(refuses_what_is_no_event),
		cmocka_unit_test(refuses_what_is_too_long_or_too_deep),
		cmocka_unit_test(seconds_stay_within_what_can_be_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
