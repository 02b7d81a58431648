/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "engine/pull.h"

/* As Docker sends it, shortened. */
static const char good[] =
	"{\"status\":\"Pulling from library/alpine\",\"id\":\"3.20\"}\r\n"
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"aa\"}\r\n"
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"bb\"}\r\n"
	"{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"cc\"}\r\n"
	"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,"
	"\"total\":100},\"progress\":\"[=>  ]\",\"id\":\"aa\"}\r\n"
	"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":7,"
	"\"total\":50},\"id\":\"bb\"}\r\n"
	"{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"aa\"}\r\n"
	"{\"status\":\"Extracting\",\"progressDetail\":{\"current\":32768,"
	"\"total\":99999},\"id\":\"aa\"}\r\n"
	"{\"status\":\"Digest: sha256:1234\"}\r\n";

static void sums_up_what_is_downloaded(void **state)
{
	struct br_pull_stream stream = { 0 };
	struct br_err err = { 0 };
	int64_t done = 0;
	int64_t total = 0;

	(void)state;
	br_pull_sum(&stream, &done, &total);
	assert_int_equal(total, -1);
	assert_true(br_pull_feed(&stream, good, strlen(good), &err));
	br_pull_sum(&stream, &done, &total);
	assert_int_equal(done, 107);
	assert_int_equal(total, 150);
	assert_true(br_pull_end(&stream, &err));
	br_pull_done(&stream);
}

static void does_not_know_the_total_before_every_layer_has_told(void **state)
{
	struct br_pull_stream stream = { 0 };
	struct br_err err = { 0 };
	int64_t done = 0;
	int64_t total = 0;
	const char *second = strstr(good, "{\"status\":\"Downloading\"");

	(void)state;
	second = strchr(second, '\n') + 1;
	assert_true(br_pull_feed(&stream, good, (size_t)(second - good), &err));
	br_pull_sum(&stream, &done, &total);
	assert_int_equal(done, 10);
	assert_int_equal(total, -1);
	br_pull_done(&stream);
}

static void gives_the_same_however_the_input_is_cut(void **state)
{
	size_t len = strlen(good);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		struct br_pull_stream stream = { 0 };
		struct br_err err = { 0 };
		int64_t done = 0;
		int64_t total = 0;

		assert_true(br_pull_feed(&stream, good, cut, &err));
		assert_true(br_pull_feed(&stream, good + cut, len - cut, &err));
		assert_true(br_pull_end(&stream, &err));
		br_pull_sum(&stream, &done, &total);
		assert_int_equal(done, 107);
		assert_int_equal(total, 150);
		br_pull_done(&stream);
	}
}

static void assert_failure(
	const char *text, enum br_code code, const char *wanted)
{
	struct br_pull_stream stream = { 0 };
	struct br_err err = { 0 };

	assert_false(br_pull_feed(&stream, text, strlen(text), &err) &&
		br_pull_end(&stream, &err));
	assert_int_equal(err.code, code);
	if (!strstr(err.text, wanted))
		fail_msg("'%s' is not in '%s'", wanted, err.text);
	br_pull_done(&stream);
}

static void tells_the_error_in_the_stream(void **state)
{
	(void)state;
	assert_failure("{\"errorDetail\":{\"message\":\"unexpected EOF\"},"
		       "\"error\":\"old words\"}\n",
		BR_EUNAVAIL, "unexpected EOF");
	assert_failure("{\"error\":\"only\\nold words\"}", BR_EUNAVAIL,
		"only old words");
	assert_failure("{\"errorDetail\":{\"code\":404,\"message\":"
		       "\"manifest unknown: manifest unknown\"}}\n",
		BR_ENOTFOUND, "manifest unknown");
}

static void refuses_what_is_no_report(void **state)
{
	(void)state;
	assert_failure("<html>\n", BR_EPROTO, "no JSON: <html>");
	assert_failure("[1]\n", BR_EPROTO, "no JSON: [1]");
	assert_failure("{\"status\":\"Downl", BR_EPROTO, "no JSON");
	assert_failure("{} {}\n", BR_EPROTO, "no JSON");
}

static void refuses_a_line_without_end(void **state)
{
	struct br_pull_stream stream = { 0 };
	struct br_err err = { 0 };
	char piece[4096];
	size_t fed = 0;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	while (br_pull_feed(&stream, piece, sizeof(piece), &err)) {
		fed += sizeof(piece);
		assert_in_range(fed, 0, BR_LIMIT_ENGINE_LINE_BYTES);
	}
	assert_int_equal(err.code, BR_EPROTO);
	br_pull_done(&stream);
}

static void count(void *ctx, int64_t done, int64_t total)
{
	int *calls = ctx;

	(void)done;
	(void)total;
	*calls += 1;
}

static void tells_progress_at_most_ten_times_a_second(void **state)
{
	int calls = 0;
	struct br_pull_stream stream = { .progress = count, .ctx = &calls };
	struct br_err err = { 0 };
	int64_t start_ms = br_clock_now_ms();

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_true(br_pull_feed(&stream, good, strlen(good), &err));
	assert_in_range(calls, 1, 1 + (br_clock_now_ms() - start_ms) / 100);
	br_pull_done(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_up_what_is_downloaded),
		cmocka_unit_test(
			does_not_know_the_total_before_every_layer_has_told),
		cmocka_unit_test(gives_the_same_however_the_input_is_cut),
		cmocka_unit_test(tells_the_error_in_the_stream),
		cmocka_unit_test(refuses_what_is_no_report),
		cmocka_unit_test(refuses_a_line_without_end),
		cmocka_unit_test(tells_progress_at_most_ten_times_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
