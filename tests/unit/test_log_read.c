/* SPDX-License-Identifier: MIT */
/* What a log gives back, and what it takes. */
#include <stdio.h>
#include <unistd.h>

#include "log/reader.h"
#include "logged.h"

static void tell_a_build(struct logged *logged)
{
	logged_tell(logged, logged_started());
	logged_tell(logged, logged_output("build", "one\n"));
	logged_tell(logged, logged_output("build", "two\n"));
	logged_tell(logged, logged_step_end("build"));
	logged_tell(logged, logged_stage_end("build", BR_RESULT_PASS));
	logged_tell(logged, logged_output("test (py=3.12)", "three\n"));
	logged_tell(logged, logged_finished(BR_RESULT_PASS));
}

static struct br_log_reader *open_reader(const struct logged *logged)
{
	struct br_log_reader *reader = NULL;
	struct br_err err = { 0 };

	assert_true(
		br_log_reader_open(logged->folder, BUILD, true, &reader, &err));
	return reader;
}

/* Read on, and check that events come in order. Gives how many came. */
static size_t read_on(struct br_log_reader *reader, uint64_t *last_seq)
{
	const struct br_event *event;
	size_t count = 0;

	while ((event = br_log_reader_next(reader)) != NULL) {
		assert_true(event->seq > *last_seq);
		*last_seq = event->seq;
		count++;
	}
	return count;
}

static void load(
	const struct logged *logged, const char *suffix, struct br_buf *text)
{
	br_autofree char *path = br_log_path(logged->folder, BUILD, suffix);
	struct br_err err = { 0 };

	assert_true(br_file_load(path, 1 << 20, text, &err));
}

static void replace(const struct logged *logged, const char *suffix,
	const char *data, size_t len)
{
	br_autofree char *path = br_log_path(logged->folder, BUILD, suffix);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t count_lines(const char *data, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += data[i] == '\n';
	return count;
}

static void a_reader_puts_events_and_output_together_again(void **state)
{
	static const enum br_event_type types[] = {
		BR_EVENT_BUILD_STARTED,
		BR_EVENT_OUTPUT,
		BR_EVENT_OUTPUT,
		BR_EVENT_STEP_FINISHED,
		BR_EVENT_STAGE_FINISHED,
		BR_EVENT_OUTPUT,
		BR_EVENT_BUILD_FINISHED,
	};
	struct logged *logged = *state;

	tell_a_build(logged);

	struct br_log_reader *reader = open_reader(logged);

	for (size_t i = 0; i < 7; i++) {
		const struct br_event *event = br_log_reader_next(reader);

		assert_non_null(event);
		assert_int_equal(event->type, types[i]);
		assert_int_equal(event->seq, i + 1);
	}
	assert_null(br_log_reader_next(reader));
	assert_int_equal(br_log_reader_unreadable(reader), 0);
	assert_string_equal(br_log_reader_header(reader)->branch, "main");
	br_log_reader_free(reader);
}

static void a_log_cut_at_any_byte_gives_what_is_whole(void **state)
{
	static const char *const suffixes[] = { BR_LOG_SUFFIX,
		BR_LOG_OUTPUT_SUFFIX };
	struct logged *logged = *state;

	tell_a_build(logged);
	for (size_t i = 0; i < 2; i++) {
		br_autobuf struct br_buf text = { 0 };
		/* Of the other file, without the header. */
		size_t others = i == 0 ? 3 : 4;

		load(logged, suffixes[i], &text);
		for (size_t cut = 0; cut <= text.len; cut++) {
			size_t lines = count_lines(text.data, cut);
			uint64_t last_seq = 0;

			replace(logged, suffixes[i], text.data, cut);

			struct br_log_reader *reader = open_reader(logged);

			if (i == 0 && lines > 0)
				lines--;
			assert_int_equal(
				read_on(reader, &last_seq), lines + others);
			assert_int_equal(br_log_reader_unreadable(reader), 0);
			br_log_reader_free(reader);
		}
	}
}

static void what_is_no_event_is_passed_over_and_counted(void **state)
{
	struct logged *logged = *state;
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf noise = { 0 };
	uint64_t last_seq = 0;

	tell_a_build(logged);
	load(logged, BR_LOG_SUFFIX, &text);
	br_buf_add(&noise, "\0\0\0\0\n\xff\xfe{\n\n{}\nnull\n[1]\n", 22);
	/* A line longer than any event. */
	for (int i = 0; i < 5 * 1024; i++) {
		char block[1024];

		memset(block, i % 2 ? 'x' : '\0', sizeof(block));
		br_buf_add(&noise, block, sizeof(block));
	}
	br_buf_add_char(&noise, '\n');
	br_buf_add(&noise, text.data, text.len);
	/* An event of another build. */
	br_buf_add_text(&noise,
		"{\"v\":1,\"seq\":9,\"try\":1,\"ts\":"
		"\"2026-11-21T02:30:00.123456Z\",\"build\":"
		"\"0192f0c1-2b3c-7d4e-8f50-617283940009\",\"type\":\"notice\","
		"\"level\":\"info\",\"text\":\"x\"}\n");
	replace(logged, BR_LOG_SUFFIX, noise.data, noise.len);

	struct br_log_reader *reader = open_reader(logged);

	assert_int_equal(read_on(reader, &last_seq), 7);
	/* Without the empty line and the long one, with the header in its midst. */
	assert_int_equal(br_log_reader_unreadable(reader), 7);
	br_log_reader_free(reader);
}

static void what_is_written_while_it_is_read_comes_in_order(void **state)
{
	struct logged *logged = *state;
	struct br_log_reader *reader = open_reader(logged);
	uint64_t last_seq = 0;
	size_t count = 0;

	srand(7);
	for (int i = 0; i < 2000; i++) {
		if (rand() % 3 == 0)
			logged_tell(logged, logged_step_end("build"));
		else
			logged_tell(logged, logged_output("build", "text\n"));
		if (rand() % 5 == 0)
			count += read_on(reader, &last_seq);
	}
	count += read_on(reader, &last_seq);
	assert_int_equal(count, 2000);
	br_log_reader_free(reader);
}

static void of_output_beyond_the_limit_the_end_of_each_step_is_kept(
	void **state)
{
	struct logged *logged = *state;
	br_autobuf struct br_buf text = { 0 };
	const struct br_event *event;
	uint64_t last_seq = 0;
	size_t notices = 0;
	size_t words = 0;
	size_t gaps = 0;

	br_log_close(logged->log);
	logged->log = logged_open(BUILD, INT64_C(2097152));
	logged_tell_much(logged, "build", 1000);
	logged_tell_much(logged, "test", 100);
	load(logged, BR_LOG_OUTPUT_SUFFIX, &text);
	assert_true(text.len <= 524288);

	struct br_log_reader *reader = open_reader(logged);

	while ((event = br_log_reader_next(reader)) != NULL) {
		assert_true(event->seq > last_seq);
		gaps += event->seq > last_seq + 1;
		last_seq = event->seq;
		notices += event->type == BR_EVENT_NOTICE;
		words += event->type == BR_EVENT_OUTPUT &&
			br_str_is(event->output.data, "the last word");
	}
	/* Where it is cut, and what each step wrote beyond its end. */
	assert_int_equal(notices, 3);
	assert_int_equal(words, 2);
	assert_int_equal(gaps, 2);
	assert_int_equal(last_seq, logged->seq);
	br_log_reader_free(reader);
}

static void a_log_takes_no_more_than_its_limit(void **state)
{
	struct logged *logged = *state;
	br_autobuf struct br_buf text = { 0 };

	br_log_close(logged->log);
	logged->log = logged_open(BUILD, INT64_C(1048576));
	for (int i = 0; i < 20; i++)
		logged_tell_much(logged, "build", 100);
	load(logged, BR_LOG_OUTPUT_SUFFIX, &text);
	assert_true(text.len > 200000 && text.len <= 262144);
	/* It may be shut, but is whole. */
	assert_int_equal(text.data[text.len - 1], '\n');
}

static void logs_without_output_and_header_are_read_as_well(void **state)
{
	struct logged *logged = *state;
	br_autofree char *output =
		br_log_path(logged->folder, BUILD, BR_LOG_OUTPUT_SUFFIX);
	br_autobuf struct br_buf text = { 0 };
	uint64_t last_seq = 0;

	tell_a_build(logged);
	load(logged, BR_LOG_SUFFIX, &text);

	size_t header = strcspn(text.data, "\n") + 1;

	replace(logged, BR_LOG_SUFFIX, text.data + header, text.len - header);
	assert_int_equal(unlink(output), 0);

	struct br_log_reader *reader = open_reader(logged);

	assert_int_equal(read_on(reader, &last_seq), 4);
	assert_int_equal(br_log_reader_unreadable(reader), 0);
	assert_null(br_log_reader_header(reader)->branch);
	br_log_reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGGED_TEST(a_reader_puts_events_and_output_together_again),
		LOGGED_TEST(a_log_cut_at_any_byte_gives_what_is_whole),
		LOGGED_TEST(what_is_no_event_is_passed_over_and_counted),
		LOGGED_TEST(what_is_written_while_it_is_read_comes_in_order),
		LOGGED_TEST(
			of_output_beyond_the_limit_the_end_of_each_step_is_kept),
		LOGGED_TEST(a_log_takes_no_more_than_its_limit),
		LOGGED_TEST(logs_without_output_and_header_are_read_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
