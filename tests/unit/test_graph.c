/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: a stage that is dropped while
 * what it needs is placed; stages in the order of the file; equal names that are
 * not sorted; a need of `prepare` in the place of others.
 */
#include "planned.h"

#include "base/limits.h"

/* Check the names of all stages of the plan, each with a blank before. */
static void assert_order(const char *manifest, const char *wanted)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	planned_must(&planned, manifest);
	for (size_t i = 0; i < planned.plan->stage_count; i++)
		br_buf_addf(&text, " %s", planned.plan->stages[i].name);
	assert_string_equal(br_buf_text(&text), wanted);
	planned_done(&planned);
}

static void lists_stages_as_the_manifest_does_where_they_can_run_so(
	void **state)
{
	(void)state;
	assert_order("image: a\n"
		     "stages: [c, a, d, b]\n"
		     "a: {needs: []}\n"
		     "b: {needs: [a, c]}\n"
		     "c: {needs: []}\n"
		     "d: {needs: [a]}\n",
		" c a d b");
}

static void puts_what_is_needed_before(void **state)
{
	(void)state;
	/* A diamond, listed upside down. */
	assert_order("image: a\n"
		     "stages: [d, c, b, a]\n"
		     "d: {needs: [b, c]}\n"
		     "b: {needs: [a]}\n"
		     "c: {needs: [a]}\n"
		     "a: {needs: []}\n",
		" a b c d");
}

static void puts_unlisted_stages_before_those_that_need_them(void **state)
{
	(void)state;
	assert_order("image: a\n"
		     "stages: [build, test]\n"
		     "unused: {script: [u]}\n"
		     "deep: {script: [d]}\n"
		     "tools: {script: [t], needs: [deep]}\n"
		     "test: {needs: [tools, build]}\n"
		     "build: {}\n",
		" build deep tools test");
}

static void names_each_combination_of_a_matrix(void **state)
{
	(void)state;
	assert_order("image: a\n"
		     "stages: [build, test]\n"
		     "build: {}\n"
		     "test:\n"
		     "  matrix:\n"
		     "    py: [3.10, \"3.12\"]\n"
		     "    os: [slim, \"\"]\n"
		     "    exclude: [{py: 3.10, os: \"\"}]\n"
		     "    include: [{py: 3.12, cov: yes}, {os: alpine}]\n",
		" build test (py=3.10, os=slim) test (py=3.12, os=slim,"
		" cov=yes) test (py=3.12, os=, cov=yes) test (os=alpine)");
}

static void keeps_the_stages_of_a_matrix_side_by_side(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [build, test, deploy]\n"
		"prepare: {script: [p]}\n"
		"build: {}\n"
		"test: {matrix: {n: [1, 2, 3]}}\n"
		"deploy: {needs: [test, build]}\n");

	const struct br_plan *plan = planned.plan;
	const struct br_plan_group *test = &plan->groups[2];
	assert_int_equal(plan->group_count, 4);
	assert_string_equal(test->name, "test");
	assert_int_equal(test->first, 2);
	assert_int_equal(test->count, 3);
	for (size_t i = 0; i < plan->stage_count; i++) {
		const struct br_plan_group *group =
			&plan->groups[plan->stages[i].group];

		assert_in_range(
			i, group->first, group->first + group->count - 1);
	}
	/* An edge is between groups: one, not three. */
	assert_int_equal(plan->groups[3].needs.count, 2);
	assert_int_equal(plan->groups[3].needs.items[0], 2);
	assert_int_equal(plan->groups[3].needs.items[1], 1);
	assert_int_equal(test->dependents.count, 1);
	assert_int_equal(test->dependents.items[0], 3);
	/* `prepare` is named as a need only where there is no other. */
	assert_int_equal(plan->groups[0].dependents.count, 1);
	assert_string_equal(
		planned_value(&planned, "test (n=2)", "BUILDR_STAGE"),
		"test (n=2)");
	assert_string_equal(planned_value(&planned, "test (n=2)", "n"), "2");
	planned_done(&planned);
}

/* Fill `text` with a manifest of `count` stages that `define` defines. */
static void write_stages(struct br_buf *text, size_t count,
	void (*define)(struct br_buf *text, size_t index, size_t count))
{
	br_buf_add_text(text, "image: a\nstages: [s0");
	for (size_t i = 1; i < count; i++)
		br_buf_addf(text, ", s%zu", i);
	br_buf_add_text(text, "]\n");
	for (size_t i = 0; i < count; i++)
		define(text, i, count);
}

/* Each needs the one behind it. */
static void define_backwards(struct br_buf *text, size_t index, size_t count)
{
	if (index + 1 < count)
		br_buf_addf(text, "s%zu: {needs: [s%zu]}\n", index, index + 1);
	else
		br_buf_addf(text, "s%zu: {needs: []}\n", index);
}

/* Each needs two of those before it, in no order. */
static void define_anyhow(struct br_buf *text, size_t index, size_t count)
{
	(void)count;
	if (index < 2)
		br_buf_addf(text, "s%zu: {needs: []}\n", index);
	else
		br_buf_addf(text, "s%zu: {needs: [s%zu, s%zu]}\n", index,
			index * 7919 % (index / 2),
			index / 2 + index * 104729 % (index - index / 2));
}

/* Every group comes after all that it needs, and they know each other. */
static void assert_is_sorted(const struct br_plan *plan)
{
	size_t need_count = 0;
	size_t dependent_count = 0;

	for (size_t i = 0; i < plan->group_count; i++) {
		const struct br_plan_group *group = &plan->groups[i];

		for (size_t k = 0; k < group->needs.count; k++)
			assert_true(group->needs.items[k] < i);
		for (size_t k = 0; k < group->dependents.count; k++)
			assert_true(group->dependents.items[k] > i);
		need_count += group->needs.count;
		dependent_count += group->dependents.count;
	}
	assert_int_equal(need_count, dependent_count);
}

static void sorts_a_chain_of_all_stages_that_there_may_be(void **state)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	write_stages(&text, BR_LIMIT_STAGES, define_backwards);
	planned_must(&planned, text.data);
	assert_int_equal(planned.plan->stage_count, BR_LIMIT_STAGES);
	assert_string_equal(planned.plan->stages[0].name, "s9999");
	assert_string_equal(
		planned.plan->stages[BR_LIMIT_STAGES - 1].name, "s0");
	assert_is_sorted(planned.plan);
	planned_done(&planned);
}

static void sorts_a_graph_of_many_stages(void **state)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	write_stages(&text, 5000, define_anyhow);
	planned_must(&planned, text.data);
	assert_int_equal(planned.plan->stage_count, 5000);
	assert_is_sorted(planned.plan);
	planned_done(&planned);
}

/* A matrix of 1000 combinations for each stage. */
static void define_grid(struct br_buf *text, size_t index, size_t count)
{
	(void)count;
	br_buf_addf(text, "s%zu: {matrix: {a: [0", index);
	for (int i = 1; i < 40; i++)
		br_buf_addf(text, ", %d", i);
	br_buf_add_text(text, "], b: [0");
	for (int i = 1; i < 25; i++)
		br_buf_addf(text, ", %d", i);
	br_buf_add_text(text, "]}}\n");
}

static void takes_matrices_of_all_stages_that_there_may_be(void **state)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	write_stages(&text, 10, define_grid);
	planned_must(&planned, text.data);
	assert_int_equal(planned.plan->stage_count, BR_LIMIT_STAGES);
	assert_string_equal(planned.plan->stages[9999].name, "s9 (a=39, b=24)");
	assert_int_equal(planned.plan->groups[9].needs.count, 1);
	planned_done(&planned);
}

/* Five variables of which each takes a fifth of a name; the last has more. */
static void add_long_values(struct br_buf *text, const char *last)
{
	for (int i = 0; i < 5; i++) {
		br_buf_addf(text, "%sv%d: [", i > 0 ? ", " : "", i);
		for (int k = 0; k < 49; k++)
			br_buf_add_text(text, "\xc3\xbc");
		br_buf_addf(text, "%s]", i == 4 ? last : "");
	}
}

static void rejects_names_that_are_too_long_once_for_a_stage(void **state)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_buf_add_text(&text, "image: a\nstages: [test]\ntest:\n  matrix: {");
	add_long_values(&text, ", x");
	br_buf_add_text(&text, "}\n");
	assert_true(planned_build(&planned, text.data));
	planned_assert_mistake(&planned, 4,
		"a name of stage 'test', with the values of its matrix, is "
		"longer than 500 bytes");
	planned_done(&planned);
}

static void rejects_two_combinations_of_one_name(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	assert_true(planned_build(&planned,
		"image: a\n"
		"stages: [test]\n"
		"test:\n"
		"  matrix: {a: [1, 3, \"1, b=2\"], include: [{a: 1, b: 2}]}\n"));
	planned_assert_mistake(&planned, 4,
		"two combinations of the matrix of stage 'test' have the name "
		"'test (a=1, b=2)'");
	planned_done(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			lists_stages_as_the_manifest_does_where_they_can_run_so),
		cmocka_unit_test(puts_what_is_needed_before),
		cmocka_unit_test(
			puts_unlisted_stages_before_those_that_need_them),
		cmocka_unit_test(names_each_combination_of_a_matrix),
		cmocka_unit_test(keeps_the_stages_of_a_matrix_side_by_side),
		cmocka_unit_test(sorts_a_chain_of_all_stages_that_there_may_be),
		cmocka_unit_test(sorts_a_graph_of_many_stages),
		cmocka_unit_test(
			takes_matrices_of_all_stages_that_there_may_be),
		cmocka_unit_test(
			rejects_names_that_are_too_long_once_for_a_stage),
		cmocka_unit_test(rejects_two_combinations_of_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
