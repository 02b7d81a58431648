/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: the shortest for the median; the
 * last dependent or combination for the longest; time for what is skipped.
 */
#include "planned.h"

static const char diamond[] = "image: a\n"
			      "stages: [top, left, right, bottom, alone]\n"
			      "top: {needs: []}\n"
			      "left: {needs: [top]}\n"
			      "right: {needs: [top]}\n"
			      "bottom: {needs: [left, right]}\n"
			      "alone: {needs: []}\n";

static void assert_path(
	const struct planned *planned, const char *stage, int64_t ms)
{
	assert_int_equal(planned_stage(planned, stage)->path_ms, ms);
}

static void adds_up_the_longest_way_to_the_end(void **state)
{
	struct br_duration items[] = {
		{ "top", 5 },
		{ "right", 20 },
		{ "left", 300 },
		{ "alone", 100 },
		{ "bottom", 1000 },
		{ "not a stage any more", 1 },
	};
	const struct br_durations durations = { items, 6 };
	struct planned planned = { .options.durations = &durations };

	(void)state;
	planned_must(&planned, diamond);
	assert_path(&planned, "bottom", 1000);
	assert_path(&planned, "left", 1300);
	assert_path(&planned, "right", 1020);
	assert_path(&planned, "top", 1305);
	assert_path(&planned, "alone", 100);
	planned_done(&planned);
}

static void takes_what_is_unknown_for_the_median(void **state)
{
	struct br_duration items[] = {
		{ "top", 1 },
		{ "right", 9000 },
		{ "left", 40 },
	};
	const struct br_durations durations = { items, 3 };
	struct planned planned = { .options.durations = &durations };

	(void)state;
	planned_must(&planned, diamond);
	assert_path(&planned, "alone", 40);
	assert_path(&planned, "bottom", 40);
	assert_path(&planned, "left", 80);
	assert_path(&planned, "top", 9041);
	planned_done(&planned);
}

static void counts_stages_where_nothing_is_known(void **state)
{
	const struct br_durations none = { 0 };
	struct planned planned = { .options.durations = &none };

	(void)state;
	planned_must(&planned, diamond);

	int64_t one = planned_stage(&planned, "alone")->path_ms;
	assert_true(one > 0);
	assert_path(&planned, "left", 2 * one);
	assert_path(&planned, "top", 3 * one);
	planned_done(&planned);
}

static void takes_no_time_for_what_does_not_run(void **state)
{
	const char *const skip[] = { "right" };
	struct br_duration items[] = {
		{ "right", 9000 },
		{ "left", 10 },
	};
	const struct br_durations durations = { items, 2 };
	struct planned planned = {
		.options = { .durations = &durations,
			.skip = { .items = skip, .count = 1 } },
	};

	(void)state;
	planned_must(&planned, diamond);
	assert_path(&planned, "bottom", 9000);
	assert_path(&planned, "right", 9000);
	assert_path(&planned, "left", 9010);
	planned_done(&planned);
}

static void takes_the_longest_combination_of_a_matrix(void **state)
{
	struct br_duration items[] = {
		{ "build", 1 },
		{ "test (n=1)", 10 },
		{ "test (n=2)", 500 },
		{ "test (n=3)", 20 },
		{ "deploy", 7 },
	};
	const struct br_durations durations = { items, 5 };
	struct planned planned = { .options.durations = &durations };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [build, test, deploy]\n"
		"build: {}\n"
		"test: {matrix: {n: [1, 2, 3]}}\n"
		"deploy: {}\n");
	assert_path(&planned, "test (n=1)", 17);
	assert_path(&planned, "test (n=2)", 507);
	assert_path(&planned, "build", 508);
	planned_done(&planned);
}

static void puts_prepare_before_everything(void **state)
{
	struct br_duration items[] = { { "prepare", 3 }, { "s", 50 } };
	const struct br_durations durations = { items, 2 };
	struct planned planned = { .options.durations = &durations };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s]\n"
		"prepare: {script: p}\n"
		"s: {needs: []}\n");
	assert_path(&planned, "prepare", 53);
	planned_done(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_up_the_longest_way_to_the_end),
		cmocka_unit_test(takes_what_is_unknown_for_the_median),
		cmocka_unit_test(counts_stages_where_nothing_is_known),
		cmocka_unit_test(takes_no_time_for_what_does_not_run),
		cmocka_unit_test(takes_the_longest_combination_of_a_matrix),
		cmocka_unit_test(puts_prepare_before_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
