/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/health.h"

#define SECOND INT64_C(1000)

static void assert_rests(const struct health *health, int64_t look_ms)
{
	assert_int_equal(health->state, HEALTH_RESTING);
	assert_false(health_may_begin(health));
	assert_int_equal(health_deadline_ms(health), look_ms);
}

static void takes_nothing_before_its_first_look(void **state)
{
	struct health health;

	(void)state;
	health_init(&health);
	assert_int_equal(health.state, HEALTH_UNKNOWN);
	assert_int_equal(health_deadline_ms(&health), 0);
	health_looked(&health, NULL, 0);
	assert_int_equal(health.state, HEALTH_WELL);
	assert_true(health_may_begin(&health));
	assert_int_equal(health_deadline_ms(&health), 60 * SECOND);
}

static void rests_longer_each_time_until_it_is_well(void **state)
{
	static const int64_t rests[] = { 10, 20, 40, 60, 60 };
	struct health health;
	int64_t now_ms = 0;

	(void)state;
	health_init(&health);
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		health_looked(&health, "no engine", now_ms);
		assert_rests(&health, now_ms + rests[i] * SECOND);
		assert_string_equal(health.why, "no engine");
		now_ms += rests[i] * SECOND;
	}
	health_looked(&health, NULL, now_ms);
	assert_true(health_may_begin(&health));
	assert_string_equal(health.why, "");
	health_looked(&health, "no engine", now_ms);
	assert_rests(&health, now_ms + 10 * SECOND);
}

static void begins_nothing_after_a_failure_until_it_has_looked(void **state)
{
	struct health health;

	(void)state;
	health_init(&health);
	health_looked(&health, NULL, 0);
	health_failed(&health, 5);
	assert_int_equal(health.state, HEALTH_WELL);
	assert_false(health_may_begin(&health));
	assert_int_equal(health_deadline_ms(&health), 5);
	health_looked(&health, NULL, 6);
	assert_true(health_may_begin(&health));
}

static void rests_after_three_failures_in_a_row(void **state)
{
	struct health health;

	(void)state;
	health_init(&health);
	health_looked(&health, NULL, 0);
	health_failed(&health, 0);
	health_failed(&health, 0);
	health_succeeded(&health);
	health_failed(&health, 0);
	health_failed(&health, 0);
	assert_int_equal(health.state, HEALTH_WELL);
	health_failed(&health, 7);
	assert_rests(&health, 7 + 10 * SECOND);
}

static void counts_a_server_that_is_away_once_for_a_build(void **state)
{
	struct health health;

	(void)state;
	health_init(&health);
	health_looked(&health, NULL, 0);
	for (int i = 0; i < 5; i++)
		health_failed_away(&health, "a", 0);
	assert_int_equal(health.failure_count, 1);
	health_failed_away(&health, "b", 0);
	assert_int_equal(health.state, HEALTH_WELL);
	health_failed_away(&health, "c", 7);
	assert_rests(&health, 7 + 10 * SECOND);
}

static void needs_but_one_more_failure_until_a_job_is_reported(void **state)
{
	struct health health;

	(void)state;
	health_init(&health);
	health_looked(&health, NULL, 0);
	for (int i = 0; i < 3; i++)
		health_failed(&health, 0);
	health_looked(&health, NULL, 0);
	assert_true(health_may_begin(&health));
	health_failed(&health, 0);
	assert_rests(&health, 20 * SECOND);
	health_looked(&health, NULL, 0);
	health_succeeded(&health);
	health_failed(&health, 0);
	assert_int_equal(health.state, HEALTH_WELL);
}

static void looks_at_once_when_asked_to(void **state)
{
	struct health health;

	(void)state;
	health_init(&health);
	health_looked(&health, "no engine", 0);
	health_look(&health, 3);
	assert_rests(&health, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_nothing_before_its_first_look),
		cmocka_unit_test(rests_longer_each_time_until_it_is_well),
		cmocka_unit_test(
			begins_nothing_after_a_failure_until_it_has_looked),
		cmocka_unit_test(rests_after_three_failures_in_a_row),
		cmocka_unit_test(counts_a_server_that_is_away_once_for_a_build),
		cmocka_unit_test(
			needs_but_one_more_failure_until_a_job_is_reported),
		cmocka_unit_test(looks_at_once_when_asked_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
