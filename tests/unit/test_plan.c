/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: `..` that climbs over the
 * root; a trailing line end in a step's command; --image below the manifest's.
 */
#include "planned.h"

#include "base/buf.h"

static void assert_image(
	const char *option, const char *manifest, const char *wanted)
{
	struct planned planned = { .options.image = option };

	planned_must(&planned, manifest);
	assert_string_equal(planned.plan->image, wanted);
	planned_done(&planned);
}

static void takes_the_image_of_the_option_first(void **state)
{
	(void)state;
	assert_image(
		"reg:5000/b", "image: a\nstages: [s]\ns: {}\n", "reg:5000/b");
	assert_image(NULL, "image: a\nstages: [s]\ns: {}\n", "a");
}

static void falls_back_to_an_image_with_a_notice(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned, "stages: [s]\ns: {}\n");
	assert_string_equal(planned.plan->image, "ubuntu:latest");
	planned_assert_warning(
		&planned, ".buildr.yml names no image: ubuntu:latest is used");
	planned_done(&planned);
}

static void needs_no_image_where_each_stage_has_its_own(void **state)
{
	static const char manifest[] = "stages: [s, t]\n"
				       "prepare: {script: p}\n"
				       "s: {image: b, script: x}\n"
				       "t: {script: x}\n";
	const char *const names[] = { "s" };
	struct planned planned = {
		.options.only = { .items = names, .count = 1 },
	};

	(void)state;
	planned_must(&planned, manifest);
	assert_null(planned.plan->warnings[0]);
	assert_true(planned_stage(&planned, "s")->has_own_image);
	assert_string_equal(planned_stage(&planned, "s")->image, "b");
	planned_done(&planned);

	planned_must(&planned, manifest);
	planned_assert_warning(
		&planned, ".buildr.yml names no image: ubuntu:latest is used");
	planned_done(&planned);
}

static void rejects_what_is_no_name_of_an_image(void **state)
{
	static const char *const bad[] = { "", "a b", "a\tb", "-a", "Alpine",
		"reg:5000/Alpine", "alpine:3\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct planned planned = { .options.image = bad[i] };

		assert_false(planned_build(
			&planned, "image: a\nstages: [s]\ns: {}\n"));
		assert_int_equal(planned.err.code, BR_EINPUT);
		planned_done(&planned);
	}
	/* A tag and a registry may have capitals. */
	assert_image("Reg.io/alpine:3.20-RC", "stages: [s]\ns: {}\n",
		"Reg.io/alpine:3.20-RC");
}

static void assert_workdir(const char *workdir, const char *wanted)
{
	struct planned planned = { 0 };
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&text, "image: a\nstages: [s]\ns: {%s%s%s}\n",
		workdir ? "workdir: \"" : "", workdir ? workdir : "",
		workdir ? "\"" : "");
	planned_must(&planned, text.data);
	assert_string_equal(planned_stage(&planned, "s")->workdir, wanted);
	planned_done(&planned);
}

static void makes_workdirs_absolute(void **state)
{
	(void)state;
	assert_workdir(NULL, "/app");
	assert_workdir("web", "/app/web");
	assert_workdir("./web//x/", "/app/web/x");
	assert_workdir("web/../api", "/app/api");
	assert_workdir("../opt", "/opt");
	assert_workdir("/opt/../../..", "/");
	assert_workdir("/srv", "/srv");
	assert_workdir("..hidden", "/app/..hidden");
}

static void resolves_who_the_host_is(void **state)
{
	struct planned planned = {
		.options = { .caller_uid = 1000, .caller_gid = 100 },
	};

	(void)state;
	planned_must(&planned,
		"image: a\nstages: [s, t, u]\n"
		"s: {user: host}\nt: {user: \"7:8\"}\nu: {}\n");
	assert_string_equal(planned_stage(&planned, "s")->user, "1000:100");
	assert_true(planned_stage(&planned, "s")->is_host_user);
	assert_false(planned_stage(&planned, "t")->is_host_user);
	assert_string_equal(planned_stage(&planned, "t")->user, "7:8");
	assert_null(planned_stage(&planned, "u")->user);
	assert_int_equal(planned.plan->caller_uid, 1000);
	planned_done(&planned);
}

static void shows_steps_as_people_read_them(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s]\n"
		"s:\n"
		"  script:\n"
		"    - make all\n"
		"    - |\n"
		"      one\n"
		"      two\n"
		"    - [echo, a b, it's]\n");

	const struct br_plan_stage *stage = planned_stage(&planned, "s");
	assert_int_equal(stage->step_count, 3);
	assert_string_equal(stage->steps[0].command, "make all");
	assert_int_equal(stage->steps[0].number, 1);
	assert_int_equal(stage->steps[0].line, 5);
	assert_string_equal(stage->steps[1].command, "one\ntwo");
	assert_string_equal(stage->steps[1].text, "one\ntwo\n");
	assert_string_equal(stage->steps[2].command, "echo 'a b' 'it'\\''s'");
	assert_null(stage->steps[2].text);
	assert_string_equal(stage->steps[2].argv[1], "a b");
	assert_null(stage->steps[2].argv[3]);
	assert_string_equal(stage->shell[0], "sh");
	assert_null(stage->shell[1]);
	planned_done(&planned);
}

static void is_independent_of_the_manifest(void **state)
{
	struct planned planned = { 0 };
	br_autofree char *text =
		strdup("image: a\n"
		       "network: none\n"
		       "environment: {vars: [K=hunter2], secrets: [K]}\n"
		       "stages: [s]\n"
		       "s: {script: [[make]], shell: [bash, -x], user: u,"
		       " allow_failure: [3]}\n");

	(void)state;
	planned_must(&planned, text);
	br_manifest_free(br_take_ptr(&planned.manifest));
	memset(text, 'x', strlen(text));

	const struct br_plan_stage *stage = planned_stage(&planned, "s");
	assert_string_equal(planned.plan->network, "none");
	assert_string_equal(stage->shell[1], "-x");
	assert_string_equal(stage->user, "u");
	assert_string_equal(stage->steps[0].argv[0], "make");
	assert_int_equal(stage->allow_failure.statuses[0], 3);
	assert_true(br_str_is(planned.plan->secrets[0], "hunter2"));
	assert_string_equal(planned_value(&planned, "s", "K"), "hunter2");
	planned_done(&planned);
}

/* Plan a stage as if its file had these keys, which are read but still refused. */
static void plan_cached(
	struct planned *planned, bool has_inputs, bool is_uncached)
{
	static struct br_text inputs[] = { { .text = "src/**" },
		{ .text = "!*.md" } };
	static struct br_text outputs[] = { { .text = "target/" } };
	struct br_stage *stage = NULL;

	br_manifest_parse(br_str("image: a\nstages: [s]\ns: {script: x}\n"),
		".buildr.yml", "/nowhere", &planned->manifest, &planned->diags);
	assert_non_null(planned->manifest);
	stage = &planned->manifest->stages[0];
	stage->has_inputs = has_inputs;
	stage->is_uncached = is_uncached;
	if (has_inputs)
		stage->inputs = (struct br_texts){ inputs, 2 };
	stage->outputs = (struct br_texts){ outputs, 1 };
	assert_true(br_plan_build(planned->manifest, &planned->options,
		&planned->diags, &planned->plan, &planned->err));
}

static void caches_a_stage_with_inputs_unless_told_not_to(void **state)
{
	struct planned planned = { 0 };
	const struct br_plan_stage *stage = NULL;

	(void)state;
	plan_cached(&planned, true, false);
	stage = planned_stage(&planned, "s");
	assert_true(stage->is_cached);
	assert_string_equal(stage->inputs[0], "src/**");
	assert_string_equal(stage->inputs[1], "!*.md");
	assert_null(stage->inputs[2]);
	assert_string_equal(stage->outputs[0], "target/");
	assert_null(stage->outputs[1]);
	planned_done(&planned);

	plan_cached(&planned, true, true);
	assert_false(planned_stage(&planned, "s")->is_cached);
	planned_done(&planned);

	plan_cached(&planned, false, false);
	stage = planned_stage(&planned, "s");
	assert_false(stage->is_cached);
	assert_null(stage->inputs[0]);
	planned_done(&planned);
}

static void is_empty_where_there_is_nothing_to_run(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned, "image: a\nx: {script: [make]}\n");
	assert_int_equal(planned.plan->stage_count, 0);
	assert_null(planned.plan->warnings[0]);
	planned_done(&planned);
}

static void runs_prepare_where_no_stage_is_listed(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned, "image: a\nprepare: {script: [p]}\n");
	assert_int_equal(planned.plan->stage_count, 1);
	assert_true(planned_stage(&planned, "prepare")->is_prepare);
	assert_null(planned.plan->warnings[0]);
	planned_done(&planned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_image_of_the_option_first),
		cmocka_unit_test(falls_back_to_an_image_with_a_notice),
		cmocka_unit_test(needs_no_image_where_each_stage_has_its_own),
		cmocka_unit_test(rejects_what_is_no_name_of_an_image),
		cmocka_unit_test(makes_workdirs_absolute),
		cmocka_unit_test(resolves_who_the_host_is),
		cmocka_unit_test(shows_steps_as_people_read_them),
		cmocka_unit_test(is_independent_of_the_manifest),
		cmocka_unit_test(caches_a_stage_with_inputs_unless_told_not_to),
		cmocka_unit_test(is_empty_where_there_is_nothing_to_run),
		cmocka_unit_test(runs_prepare_where_no_stage_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
