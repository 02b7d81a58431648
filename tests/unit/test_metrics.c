/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/metrics.h"

static void assert_line(const struct br_buf *text, const char *line)
{
	const char *found = strstr(br_buf_text(text), line);

	if (!found) {
		fail_msg("no %s in:\n%s", line, br_buf_text(text));
		return;
	}
	assert_true(found == text->data || found[-1] == '\n');
	assert_int_equal(found[strlen(line)], '\n');
}

static void tells_what_was_and_what_is(void **state)
{
	struct metrics metrics = { .given_back = 4, .events = 100 };
	const struct metrics_now now = {
		.name = "a\"b\\c\nd",
		.version = "1",
		.running = 1,
		.waiting = 2,
		.jobs_max = 8,
		.events = 11,
		.backlog_bytes = 5000000000,
		.failures_in_row = 3,
		.is_connected = true,
	};
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	metrics_add_report(&metrics, BR_RESULT_PASS, 1.5);
	metrics_add_report(&metrics, BR_RESULT_PASS, 0.25);
	metrics_add_report(&metrics, BR_RESULT_CANCELLED, 1);
	metrics_format(&metrics, &now, &text);
	assert_line(&text,
		"buildr_agent_info{name=\"a\\\"b\\\\c\\nd\",version=\"1\"} 1");
	assert_line(&text, "buildr_agent_jobs_running 1");
	assert_line(&text, "buildr_agent_jobs_waiting 2");
	assert_line(&text, "buildr_agent_jobs_max 8");
	assert_line(&text, "buildr_agent_jobs_total{result=\"pass\"} 2");
	assert_line(&text, "buildr_agent_jobs_total{result=\"fail\"} 0");
	assert_line(&text, "buildr_agent_jobs_total{result=\"cancelled\"} 1");
	assert_line(&text, "buildr_agent_build_seconds_sum 2.750000");
	assert_line(&text, "buildr_agent_build_seconds_count 3");
	assert_line(&text, "buildr_agent_given_back_total 4");
	assert_line(&text, "buildr_agent_failures_in_row 3");
	assert_line(&text, "buildr_agent_events_published_total 111");
	assert_line(&text, "buildr_agent_backlog_bytes 5000000000");
	assert_line(&text, "buildr_agent_broker_connected 1");
	assert_line(&text, "buildr_agent_resting 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_was_and_what_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
