/* SPDX-License-Identifier: MIT */
/*
 * What can be said of the stages of a plan before anything runs.
 *
 * Planted bugs that these tests were seen to catch: a stage behind one that is skipped, or has no
 * steps, looked up although what runs in front of both may change its inputs; `prepare` where all
 * of the build's container are there; a combination of a matrix that runs, overlooked.
 */
#include "run/outlook.h"
#include "tests/unit/planned.h"

#define HEAD "image: image:1\n"

struct fixture {
	struct planned planned;
	struct br_outlook outlook;
};

/* Go through the plan; those that are looked up and named in `hits` are there. */
static void foresee(
	struct fixture *fixture, const char *manifest, const char *hits)
{
	size_t stage = 0;

	*fixture = (struct fixture){ 0 };
	planned_must(&fixture->planned, manifest);
	br_outlook_init(&fixture->outlook, fixture->planned.plan);
	while (br_outlook_find(&fixture->outlook, &stage))
		br_outlook_take(&fixture->outlook,
			strstr(hits,
				fixture->planned.plan->stages[stage].name) !=
				NULL);
}

static void done(struct fixture *fixture)
{
	br_outlook_done(&fixture->outlook);
	planned_done(&fixture->planned);
}

static enum br_prospect of(const struct fixture *fixture, const char *name)
{
	const struct br_plan *plan = fixture->planned.plan;

	for (size_t i = 0; i < plan->stage_count; i++)
		if (strcmp(plan->stages[i].name, name) == 0)
			return br_outlook_of(&fixture->outlook, i);
	fail_msg("no stage %s", name);
	return BR_PROSPECT_OPEN;
}

static void where_all_is_there_no_container_is_needed(void **state)
{
	struct fixture fixture;

	(void)state;
	foresee(&fixture,
		HEAD "stages: [one, empty, two, clean]\n"
		     "prepare: {script: [ls]}\n"
		     "one: {inputs: [a], script: [ls]}\n"
		     "empty: {script: []}\n"
		     "two: {inputs: [a], script: [ls]}\n"
		     "clean: {when: {status: failure}, script: [ls]}\n",
		"one two");
	assert_int_equal(of(&fixture, "one"), BR_PROSPECT_HIT);
	assert_int_equal(of(&fixture, "two"), BR_PROSPECT_HIT);
	assert_int_equal(of(&fixture, "empty"), BR_PROSPECT_NOTHING);
	assert_int_equal(of(&fixture, "prepare"), BR_PROSPECT_NOTHING);
	assert_false(br_outlook_needs_containers(&fixture.outlook));
	assert_false(br_outlook_needs_prepare(&fixture.outlook));
	br_outlook_forget(&fixture.outlook);
	assert_int_equal(of(&fixture, "one"), BR_PROSPECT_OPEN);
	assert_true(br_outlook_needs_containers(&fixture.outlook));
	assert_true(br_outlook_shares_container(&fixture.outlook));
	done(&fixture);
}

static void what_needs_what_runs_is_taken_to_run(void **state)
{
	struct fixture fixture;

	(void)state;
	foresee(&fixture,
		HEAD "stages: [one, two, apart]\n"
		     "one: {inputs: [a], script: [ls]}\n"
		     "two: {inputs: [a], script: [ls]}\n"
		     "apart: {needs: [], inputs: [a], script: [ls]}\n",
		"two apart");
	assert_int_equal(of(&fixture, "one"), BR_PROSPECT_RUNS);
	assert_int_equal(of(&fixture, "two"), BR_PROSPECT_RUNS);
	assert_int_equal(of(&fixture, "apart"), BR_PROSPECT_HIT);
	assert_true(br_outlook_needs_prepare(&fixture.outlook));
	done(&fixture);
}

static void also_through_those_that_do_not_run(void **state)
{
	struct fixture fixture;

	(void)state;
	foresee(&fixture,
		HEAD "stages: [one, skipped, empty, two]\n"
		     "one: {script: [ls]}\n"
		     "skipped: {when: {env: {X: y}}, script: [ls]}\n"
		     "empty: {script: []}\n"
		     "two: {inputs: [a], script: [ls]}\n",
		"two");
	assert_int_equal(of(&fixture, "skipped"), BR_PROSPECT_NOTHING);
	assert_int_equal(of(&fixture, "empty"), BR_PROSPECT_NOTHING);
	assert_int_equal(of(&fixture, "two"), BR_PROSPECT_RUNS);
	done(&fixture);
}

static void one_combination_that_runs_is_enough(void **state)
{
	struct fixture fixture;

	(void)state;
	foresee(&fixture,
		HEAD "stages: [one, two]\n"
		     "one: {matrix: {N: [1, 2]}, inputs: [a], script: [ls]}\n"
		     "two: {inputs: [a], script: [ls]}\n",
		"one (N=1) two");
	assert_int_equal(of(&fixture, "one (N=1)"), BR_PROSPECT_HIT);
	assert_int_equal(of(&fixture, "one (N=2)"), BR_PROSPECT_RUNS);
	assert_int_equal(of(&fixture, "two"), BR_PROSPECT_RUNS);
	done(&fixture);
}

static void prepare_is_for_the_builds_container(void **state)
{
	struct fixture fixture;

	(void)state;
	foresee(&fixture,
		HEAD "stages: [one, own]\n"
		     "prepare: {script: [ls]}\n"
		     "one: {inputs: [a], script: [ls]}\n"
		     "own: {needs: [], image: own:1, script: [ls]}\n",
		"one");
	assert_true(br_outlook_needs_containers(&fixture.outlook));
	assert_false(br_outlook_shares_container(&fixture.outlook));
	assert_false(br_outlook_needs_prepare(&fixture.outlook));
	done(&fixture);
	/* What may come after a failure is none of those that are there. */
	foresee(&fixture,
		HEAD "stages: [one, own, report]\n"
		     "prepare: {script: [ls]}\n"
		     "one: {inputs: [a], script: [ls]}\n"
		     "own: {image: own:1, script: [ls]}\n"
		     "report: {when: {status: failure}, script: [ls]}\n",
		"one");
	assert_true(br_outlook_needs_prepare(&fixture.outlook));
	done(&fixture);
	/* Nothing that is found can make it needless. */
	foresee(&fixture,
		HEAD "stages: [own]\n"
		     "prepare: {script: [ls]}\n"
		     "own: {image: own:1, inputs: [a], script: [ls]}\n",
		"own");
	assert_int_equal(of(&fixture, "prepare"), BR_PROSPECT_RUNS);
	assert_true(br_outlook_needs_prepare(&fixture.outlook));
	done(&fixture);
}

static bool is_all_cached(const char *manifest)
{
	struct planned planned = { 0 };
	bool is_all = false;

	planned_must(&planned, manifest);
	is_all = br_outlook_is_all_cached(planned.plan);
	planned_done(&planned);
	return is_all;
}

static void waits_for_images_only_where_all_depends_on_the_cache(void **state)
{
	(void)state;
	assert_true(is_all_cached(HEAD "stages: [one, empty]\n"
				       "prepare: {script: [ls]}\n"
				       "one: {inputs: [a], script: [ls]}\n"
				       "empty: {}\n"));
	assert_true(is_all_cached(
		HEAD "stages: [one, after]\n"
		     "one: {inputs: [a], script: [ls]}\n"
		     "after: {when: {status: failure}, script: [ls]}\n"));
	assert_false(is_all_cached(HEAD "stages: [one, two]\n"
					"one: {inputs: [a], script: [ls]}\n"
					"two: {script: [ls]}\n"));
	/* It runs for itself. */
	assert_false(is_all_cached(HEAD "stages: []\n"
					"prepare: {script: [ls]}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_all_is_there_no_container_is_needed),
		cmocka_unit_test(what_needs_what_runs_is_taken_to_run),
		cmocka_unit_test(also_through_those_that_do_not_run),
		cmocka_unit_test(one_combination_that_runs_is_enough),
		cmocka_unit_test(prepare_is_for_the_builds_container),
		cmocka_unit_test(
			waits_for_images_only_where_all_depends_on_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
