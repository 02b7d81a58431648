/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: a character cut at the limit;
 * a line that is passed on twice; a tail that is dropped; a deadline that is not
 * moved with a new line; streams that share a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "run/output.h"

struct seen {
	struct br_buf streams[BR_OUTPUT_STREAMS];
	/* Each piece and a `|` behind it, of both streams in order. */
	struct br_buf pieces;
	size_t count;
	/* Whether every piece was whole characters. */
	bool is_utf8;
};

static void see(void *ctx, enum br_stream stream, struct br_str piece)
{
	struct seen *seen = ctx;

	assert_true(piece.len > 0);
	assert_true(piece.len <= BR_LIMIT_OUTPUT_BYTES);
	br_buf_add(&seen->streams[stream], piece.data, piece.len);
	br_buf_add(&seen->pieces, piece.data, piece.len);
	br_buf_add_char(&seen->pieces, '|');
	seen->count++;
	seen->is_utf8 =
		seen->is_utf8 && br_utf8_is_valid(piece.data, piece.len);
}

static void seen_done(struct seen *seen)
{
	for (size_t i = 0; i < BR_OUTPUT_STREAMS; i++)
		br_buf_done(&seen->streams[i]);
	br_buf_done(&seen->pieces);
}

/* What a test has: an output that is seen. */
struct fixture {
	struct seen seen;
	struct br_output output;
};

static int set_up(void **state)
{
	struct fixture *fixture = br_alloc(sizeof(*fixture));

	fixture->seen.is_utf8 = true;
	br_output_init(&fixture->output, NULL, see, &fixture->seen);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	br_output_done(&fixture->output);
	seen_done(&fixture->seen);
	free(fixture);
	return 0;
}

static void passes_whole_lines_on_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct br_output *output = &fixture->output;

	br_output_feed(output, BR_STREAM_STDOUT, br_str("one\ntwo\nthr"), 0);
	assert_string_equal(br_buf_text(&fixture->seen.pieces), "one\ntwo\n|");
	br_output_feed(output, BR_STREAM_STDOUT, br_str("ee\nfour\nfi"), 0);
	assert_string_equal(br_buf_text(&fixture->seen.pieces),
		"one\ntwo\n|three\n|four\n|");
	br_output_flush(output);
	assert_string_equal(br_buf_text(&fixture->seen.pieces),
		"one\ntwo\n|three\n|four\n|fi|");
}

static void keeps_the_streams_apart(void **state)
{
	struct fixture *fixture = *state;
	struct br_output *output = &fixture->output;

	br_output_feed(output, BR_STREAM_STDOUT, br_str("out"), 0);
	br_output_feed(output, BR_STREAM_STDERR, br_str("err\n"), 0);
	br_output_feed(output, BR_STREAM_STDOUT, br_str("put\n"), 0);
	assert_string_equal(
		br_buf_text(&fixture->seen.pieces), "err\n|output\n|");
	assert_string_equal(
		br_buf_text(&fixture->seen.streams[BR_STREAM_STDERR]), "err\n");
}

static void shows_the_beginning_of_a_line_after_a_while(void **state)
{
	struct fixture *fixture = *state;
	struct br_output *output = &fixture->output;

	assert_int_equal(br_output_deadline_ms(output), -1);
	br_output_feed(output, BR_STREAM_STDOUT, br_str("continue? "), 1000);
	br_output_feed(output, BR_STREAM_STDOUT, br_str("[y] "), 1020);
	assert_int_equal(
		br_output_deadline_ms(output), 1000 + BR_OUTPUT_WAIT_MS);
	br_output_tick(output, 1000 + BR_OUTPUT_WAIT_MS - 1);
	assert_int_equal(fixture->seen.count, 0);
	br_output_tick(output, 1000 + BR_OUTPUT_WAIT_MS);
	assert_string_equal(
		br_buf_text(&fixture->seen.pieces), "continue? [y] |");
	assert_int_equal(br_output_deadline_ms(output), -1);
}

static void counts_the_wait_from_the_start_of_a_line(void **state)
{
	struct fixture *fixture = *state;
	struct br_output *output = &fixture->output;

	br_output_feed(output, BR_STREAM_STDOUT, br_str("a"), 1000);
	br_output_feed(output, BR_STREAM_STDOUT, br_str("b\nc"), 1040);
	assert_int_equal(
		br_output_deadline_ms(output), 1040 + BR_OUTPUT_WAIT_MS);
	br_output_feed(output, BR_STREAM_STDERR, br_str("d"), 1010);
	assert_int_equal(
		br_output_deadline_ms(output), 1010 + BR_OUTPUT_WAIT_MS);
	br_output_feed(output, BR_STREAM_STDERR, br_str("\n"), 1050);
	br_output_feed(output, BR_STREAM_STDOUT, br_str("\n"), 1050);
	assert_int_equal(br_output_deadline_ms(output), -1);
}

static void waits_for_the_rest_of_a_character(void **state)
{
	struct fixture *fixture = *state;
	struct br_output *output = &fixture->output;

	br_output_feed(output, BR_STREAM_STDOUT, br_str("gr\xc3"), 1000);
	br_output_tick(output, 2000);
	assert_string_equal(br_buf_text(&fixture->seen.pieces), "gr|");
	assert_int_equal(br_output_deadline_ms(output), -1);
	br_output_feed(output, BR_STREAM_STDOUT, br_str("\xbc\xc3"), 3000);
	br_output_tick(output, 4000);
	assert_string_equal(br_buf_text(&fixture->seen.pieces), "gr|\xc3\xbc|");

	/* At the end there is no rest. */
	br_output_flush(output);
	assert_string_equal(
		br_buf_text(&fixture->seen.pieces), "gr|\xc3\xbc|\xc3|");
}

static void cuts_a_long_line_between_characters(void **state)
{
	struct fixture *fixture = *state;
	br_autobuf struct br_buf line = { 0 };

	/* Three bytes each: the limit is no multiple of them. */
	while (line.len < (size_t)5 * BR_LIMIT_OUTPUT_BYTES)
		br_buf_add_text(&line, "\xe2\x82\xac");
	br_output_feed(
		&fixture->output, BR_STREAM_STDOUT, br_buf_str(&line), 0);
	br_output_feed(
		&fixture->output, BR_STREAM_STDOUT, br_buf_str(&line), 0);
	br_output_flush(&fixture->output);
	assert_true(fixture->seen.is_utf8);
	assert_true(fixture->seen.count <= 12);
	assert_int_equal(fixture->seen.streams[0].len, 2 * line.len);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Text with long and short lines, and characters of every length. */
static void make_text(uint32_t *random, size_t len, struct br_buf *text)
{
	static const char *const characters[] = { "a", "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x90\xa7" };

	while (text->len < len) {
		size_t length = next_random(random) % 8 == 0
			? next_random(random) % 100000
			: next_random(random) % 100;

		while (length-- > 0)
			br_buf_add_text(
				text, characters[next_random(random) % 4]);
		br_buf_add_char(text, '\n');
	}
}

/* Feed `text` in random cuts, with ticks and flushes now and then. */
static void feed_cut(uint32_t *random, struct br_output *output,
	struct br_str text, bool has_ticks)
{
	size_t largest = 1U << next_random(random) % 20;
	int64_t now_ms = 0;

	for (size_t at = 0; at < text.len;) {
		size_t len = 1 + next_random(random) % largest;

		len = len < text.len - at ? len : text.len - at;
		br_output_feed(output, BR_STREAM_STDERR,
			(struct br_str){ text.data + at, len }, now_ms);
		at += len;
		now_ms += next_random(random) % 40;
		if (has_ticks)
			br_output_tick(output, now_ms);
	}
	br_output_flush(output);
}

static void loses_and_changes_no_byte_however_it_is_cut(void **state)
{
	uint32_t random = 20261121;

	(void)state;
	for (int i = 0; i < 60; i++) {
		br_autobuf struct br_buf text = { 0 };
		struct seen seen = { .is_utf8 = true };
		struct br_output output = { 0 };

		make_text(&random, 200000, &text);
		br_output_init(&output, NULL, see, &seen);
		feed_cut(&random, &output, br_buf_str(&text), i % 2 == 0);
		assert_true(seen.is_utf8);
		assert_true(br_str_equal(br_buf_str(&text),
			br_buf_str(&seen.streams[BR_STREAM_STDERR])));
		br_output_done(&output);
		seen_done(&seen);
	}
}

static void passes_any_bytes_on(void **state)
{
	uint32_t random = 4711;

	(void)state;
	for (int i = 0; i < 40; i++) {
		br_autobuf struct br_buf bytes = { 0 };
		struct seen seen = { 0 };
		struct br_output output = { 0 };

		for (int n = 0; n < 150000; n++)
			br_buf_add_char(&bytes,
				(char)(0x80 | next_random(&random) % 128));
		br_output_init(&output, NULL, see, &seen);
		feed_cut(&random, &output, br_buf_str(&bytes), i % 2 == 0);
		assert_true(br_str_equal(br_buf_str(&bytes),
			br_buf_str(&seen.streams[BR_STREAM_STDERR])));
		br_output_done(&output);
		seen_done(&seen);
	}
}

static void masks_secrets_that_span_reads(void **state)
{
	struct br_str secret = br_str("hunter2");
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&secret, 1);
	struct seen seen = { 0 };
	struct br_output output = { 0 };

	(void)state;
	br_output_init(&output, mask, see, &seen);
	br_output_feed(&output, BR_STREAM_STDOUT, br_str("pw hun"), 0);
	/* Not even when the wait is over. */
	br_output_tick(&output, BR_OUTPUT_WAIT_MS);
	assert_string_equal(br_buf_text(&seen.pieces), "pw |");
	br_output_feed(&output, BR_STREAM_STDERR, br_str("ter2"), 0);
	br_output_feed(&output, BR_STREAM_STDOUT, br_str("ter2 ok\nh"), 100);
	br_output_flush(&output);
	assert_string_equal(
		br_buf_text(&seen.streams[BR_STREAM_STDOUT]), "pw *** ok\nh");
	assert_string_equal(
		br_buf_text(&seen.streams[BR_STREAM_STDERR]), "ter2");
	br_output_done(&output);
	seen_done(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			passes_whole_lines_on_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			keeps_the_streams_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			shows_the_beginning_of_a_line_after_a_while, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			counts_the_wait_from_the_start_of_a_line, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			waits_for_the_rest_of_a_character, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			cuts_a_long_line_between_characters, set_up, tear_down),
		cmocka_unit_test(loses_and_changes_no_byte_however_it_is_cut),
		cmocka_unit_test(passes_any_bytes_on),
		cmocka_unit_test(masks_secrets_that_span_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
