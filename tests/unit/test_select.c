/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: the stages before a named one
 * left out; `prepare` left out where only an unlisted stage runs; a stage that is
 * named twice and runs twice; an unlisted stage that needs the one before it.
 */
#include "planned.h"

static const char manifest[] = "image: a\n"
			       "stages: [build, test, deploy]\n"
			       "prepare: {script: [p]}\n"
			       "lint: {script: [l]}\n"
			       "deploy: {script: [d]}\n"
			       "test: {script: [t]}\n"
			       "build: {script: [b]}\n"
			       "docs: {script: [d]}\n";

/* Give "name" for a stage that runs and "-name" for one that does not. */
static void describe(const struct br_plan *plan, struct br_buf *text)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		br_buf_addf(text, "%s%s%s", i > 0 ? " " : "",
			plan->stages[i].skip == BR_SKIP_NOT ? "" : "-",
			plan->stages[i].name);
}

static void assert_selected(
	const char *const *names, size_t count, const char *wanted)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	planned.options.selection =
		(struct br_plan_names){ .items = names, .count = count };
	planned_must(&planned, manifest);
	describe(planned.plan, &text);
	assert_string_equal(br_buf_text(&text), wanted);
	planned_done(&planned);
}

static void runs_the_listed_stages_in_order(void **state)
{
	(void)state;
	assert_selected(NULL, 0, "prepare build test deploy");
}

static void runs_what_a_named_stage_needs(void **state)
{
	const char *const test[] = { "test" };
	const char *const both[] = { "deploy", "build", "deploy" };

	(void)state;
	assert_selected(test, 1, "prepare build test -deploy");
	assert_selected(both, 3, "prepare build test deploy");
}

static void runs_an_unlisted_stage_only_by_its_name(void **state)
{
	const char *const lint[] = { "lint" };
	const char *const more[] = { "docs", "lint", "build", "docs" };

	(void)state;
	assert_selected(lint, 1, "prepare -build -test -deploy lint");
	assert_selected(more, 4, "prepare build -test -deploy lint docs");
}

static void runs_prepare_alone_where_only_it_is_named(void **state)
{
	const char *const names[] = { "prepare" };

	(void)state;
	assert_selected(names, 1, "prepare -build -test -deploy");
}

/* Check the names of the groups that a stage needs, each with a blank before. */
static void assert_needs(
	const struct planned *planned, const char *name, const char *wanted)
{
	const struct br_plan *plan = planned->plan;
	const struct br_plan_indexes *needs =
		&plan->groups[planned_stage(planned, name)->group].needs;
	br_autobuf struct br_buf text = { 0 };

	for (size_t i = 0; i < needs->count; i++)
		br_buf_addf(&text, " %s", plan->groups[needs->items[i]].name);
	assert_string_equal(br_buf_text(&text), wanted);
}

static void says_which_stages_must_have_passed(void **state)
{
	const char *const names[] = { "test", "lint" };
	struct planned planned = { 0 };

	(void)state;
	planned.options.selection =
		(struct br_plan_names){ .items = names, .count = 2 };
	planned_must(&planned, manifest);
	assert_needs(&planned, "prepare", "");
	assert_needs(&planned, "build", " prepare");
	assert_needs(&planned, "test", " build");
	assert_needs(&planned, "lint", " prepare");
	assert_string_equal(
		planned_stage(&planned, "build")->why, "needed by 'test'");
	planned_done(&planned);
}

static void rejects_a_name_that_no_stage_has(void **state)
{
	const char *const near[] = { "build", "depoly" };
	const char *const far[] = { "zzzzzzzzzz" };
	struct planned planned = { 0 };

	(void)state;
	planned.options.selection =
		(struct br_plan_names){ .items = near, .count = 2 };
	assert_false(planned_build(&planned, manifest));
	assert_int_equal(planned.err.code, BR_EINPUT);
	assert_string_equal(planned.err.text,
		"no stage 'depoly' in .buildr.yml; did you mean 'deploy'?");
	planned_done(&planned);

	planned.options.selection =
		(struct br_plan_names){ .items = far, .count = 1 };
	assert_false(planned_build(&planned, manifest));
	assert_string_equal(
		planned.err.text, "no stage 'zzzzzzzzzz' in .buildr.yml");
	planned_done(&planned);
}

static void knows_no_prepare_where_there_is_none(void **state)
{
	const char *const names[] = { "prepare" };
	struct planned planned = { 0 };

	(void)state;
	planned.options.selection =
		(struct br_plan_names){ .items = names, .count = 1 };
	assert_false(planned_build(
		&planned, "image: a\nstages: [build]\nbuild: {script: [b]}\n"));
	assert_int_equal(planned.err.code, BR_EINPUT);
	planned_done(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_the_listed_stages_in_order),
		cmocka_unit_test(runs_what_a_named_stage_needs),
		cmocka_unit_test(runs_an_unlisted_stage_only_by_its_name),
		cmocka_unit_test(runs_prepare_alone_where_only_it_is_named),
		cmocka_unit_test(says_which_stages_must_have_passed),
		cmocka_unit_test(rejects_a_name_that_no_stage_has),
		cmocka_unit_test(knows_no_prepare_where_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
