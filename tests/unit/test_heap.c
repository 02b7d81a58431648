/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: a child that is not compared;
 * of two equal ones the later first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/heap.h"

static void is_empty_at_first_and_at_last(void **state)
{
	struct br_heap heap = { 0 };
	size_t index = 7;

	(void)state;
	assert_false(br_heap_take(&heap, &index));
	assert_int_equal(index, 7);
	br_heap_add(&heap, 3, 0);
	assert_true(br_heap_take(&heap, &index));
	assert_int_equal(index, 3);
	assert_false(br_heap_take(&heap, &index));
	br_heap_done(&heap);
	br_heap_done(&heap);
}

static void gives_the_longest_path_first_then_the_plans_order(void **state)
{
	static const int64_t paths_ms[] = { 5, 9, INT64_MAX, 9, 0, 5, 9 };
	static const size_t wanted[] = { 2, 1, 3, 6, 0, 5, 4 };
	enum { COUNT = sizeof(wanted) / sizeof(wanted[0]) };
	struct br_heap heap = { 0 };

	(void)state;
	/* Added from the last on: what counts is the plan, not the time. */
	for (size_t i = COUNT; i-- > 0;)
		br_heap_add(&heap, i, paths_ms[i]);
	for (size_t i = 0; i < COUNT; i++) {
		size_t index = 0;

		assert_true(br_heap_take(&heap, &index));
		assert_int_equal(index, wanted[i]);
	}
	br_heap_done(&heap);
}

/* A generator of its own: the same numbers every time and everywhere. */
static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33) % limit;
}

enum { STAGES = 500 };

/* Which of those that are in the heap goes first, found by looking at all. */
static size_t find_first(const int64_t *paths_ms, const bool *is_in)
{
	size_t first = STAGES;

	for (size_t i = 0; i < STAGES; i++)
		if (is_in[i] &&
			(first == STAGES || paths_ms[i] > paths_ms[first]))
			first = i;
	return first;
}

static void keeps_the_order_however_it_is_filled_and_emptied(void **state)
{
	struct br_heap heap = { 0 };
	int64_t paths_ms[STAGES] = { 0 };
	bool is_in[STAGES] = { 0 };
	uint64_t seed = 20261121;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t index = random_below(&seed, STAGES);

		if (!is_in[index]) {
			/* Few different ones, so that many are equal. */
			paths_ms[index] = random_below(&seed, 20);
			br_heap_add(&heap, index, paths_ms[index]);
			is_in[index] = true;
		} else {
			size_t wanted = find_first(paths_ms, is_in);

			assert_true(br_heap_take(&heap, &index));
			assert_int_equal(index, wanted);
			is_in[index] = false;
		}
	}
	br_heap_done(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_first_and_at_last),
		cmocka_unit_test(
			gives_the_longest_path_first_then_the_plans_order),
		cmocka_unit_test(
			keeps_the_order_however_it_is_filled_and_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
