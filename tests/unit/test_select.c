/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: the stages before a named one
 * left out; `prepare` left out where only an unlisted stage runs; a stage that is
 * named twice and runs twice; an unlisted stage that needs the one before it;
 * --from that stops at an unlisted stage; needs of what is skipped; `prepare` for
 * stages with images; a glob before a name.
 */
#include "planned.h"

#include "base/arena.h"

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

/* What each option names, separated by commas. */
struct named {
	const char *stages;
	const char *only;
	const char *from;
	const char *skip;
};

static struct br_plan_names split(struct br_arena *arena, const char *text)
{
	enum { NAMES_MAX = 8 };
	const char **items = br_arena_array(arena, NAMES_MAX, sizeof(*items));
	struct br_plan_names names = { .items = items };

	for (const char *at = text ? text : ""; *at != '\0';) {
		size_t len = strcspn(at, ",");

		assert_true(names.count < NAMES_MAX);
		items[names.count++] = br_arena_memdup(arena, at, len);
		at += len + (at[len] == ',');
	}
	return names;
}

static void assert_runs_of(
	const char *text, struct named named, const char *wanted)
{
	struct planned planned = { 0 };
	struct br_arena arena = { 0 };
	br_autobuf struct br_buf shown = { 0 };

	planned.options.selection = split(&arena, named.stages);
	planned.options.only = split(&arena, named.only);
	planned.options.from = split(&arena, named.from);
	planned.options.skip = split(&arena, named.skip);
	planned_must(&planned, text);
	describe(planned.plan, &shown);
	assert_string_equal(br_buf_text(&shown), wanted);
	planned_done(&planned);
	br_arena_done(&arena);
}

static void assert_runs(struct named named, const char *wanted)
{
	assert_runs_of(manifest, named, wanted);
}

static void runs_a_stage_without_what_it_needs(void **state)
{
	(void)state;
	assert_runs((struct named){ .only = "test" },
		"prepare -build test -deploy");
	assert_runs((struct named){ .only = "lint,deploy" },
		"prepare -build -test deploy lint");
}

static void runs_a_stage_and_all_that_need_it(void **state)
{
	(void)state;
	assert_runs(
		(struct named){ .from = "test" }, "prepare -build test deploy");
	/* Nothing that is listed needs it. */
	assert_runs((struct named){ .from = "lint" },
		"prepare -build -test -deploy lint");
	/* All wait for it. */
	assert_runs((struct named){ .from = "prepare" },
		"prepare build test deploy");
}

static const char through[] = "image: a\n"
			      "stages: [build, deploy]\n"
			      "pack: {script: [x], needs: [build]}\n"
			      "build: {}\n"
			      "deploy: {needs: [pack]}\n"
			      "lint: {script: [x], needs: [build]}\n";

static void runs_unlisted_stages_through_which_others_need_it(void **state)
{
	(void)state;
	assert_runs_of(through, (struct named){ .from = "build" },
		"build pack deploy");
	assert_runs_of(through, (struct named){ .from = "pack" },
		"-build pack deploy");
	/* This one would not have run. */
	assert_runs_of(through, (struct named){ .from = "lint" },
		"-build -pack -deploy lint");
}

static void leaves_out_what_is_skipped(void **state)
{
	(void)state;
	assert_runs(
		(struct named){ .skip = "test" }, "prepare build -test deploy");
	/* What only it needs is left out with it. */
	assert_runs((struct named){ .stages = "deploy", .skip = "test" },
		"prepare -build -test deploy");
	assert_runs((struct named){ .stages = "test", .skip = "test" },
		"-prepare -build -test -deploy");
	/* What comes after it is not. */
	assert_runs((struct named){ .from = "build", .skip = "build" },
		"prepare -build test deploy");
	assert_runs((struct named){ .from = "build", .skip = "test" },
		"prepare build -test deploy");
	/* What is not in the plan need not be left out of it. */
	assert_runs(
		(struct named){ .skip = "lint" }, "prepare build test deploy");
	assert_runs((struct named){ .skip = "prepare" },
		"-prepare build test deploy");
}

static void adds_up_what_the_options_name(void **state)
{
	(void)state;
	assert_runs((struct named){ .stages = "lint", .from = "deploy" },
		"prepare -build -test deploy lint");
	assert_runs((struct named){ .stages = "build", .only = "deploy" },
		"prepare build -test deploy");
	assert_runs(
		(struct named){
			.only = "docs", .from = "test", .skip = "deploy" },
		"prepare -build test -deploy docs");
}

static void takes_globs_for_names(void **state)
{
	(void)state;
	assert_runs((struct named){ .only = "*t" },
		"prepare -build test -deploy lint");
	assert_runs((struct named){ .stages = "[bt]*" },
		"prepare build test -deploy");
	assert_runs(
		(struct named){ .skip = "d*" }, "prepare build test -deploy");
	assert_runs((struct named){ .only = "?????" },
		"prepare build -test -deploy");
}

static const char crossed[] =
	"image: a\n"
	"stages: [build, test, deploy]\n"
	"build: {}\n"
	"test: {matrix: {py: [3.10, \"3.12\"], os: [slim, alpine]}}\n"
	"deploy: {}\n"
	"'a[b]': {script: [x]}\n"
	"ab: {script: [x]}\n";

static void selects_combinations_of_a_matrix(void **state)
{
	(void)state;
	assert_runs_of(crossed, (struct named){ .only = "test" },
		"-build test (py=3.10, os=slim) test (py=3.10, os=alpine)"
		" test (py=3.12, os=slim) test (py=3.12, os=alpine) -deploy");
	assert_runs_of(crossed, (struct named){ .stages = "*os=slim*" },
		"build test (py=3.10, os=slim) -test (py=3.10, os=alpine)"
		" test (py=3.12, os=slim) -test (py=3.12, os=alpine) -deploy");
	/* To need one of them is to need all. */
	assert_runs_of(crossed,
		(struct named){ .stages = "deploy", .skip = "*py=3.10*" },
		"build -test (py=3.10, os=slim) -test (py=3.10, os=alpine)"
		" test (py=3.12, os=slim) test (py=3.12, os=alpine) deploy");
	assert_runs_of(crossed, (struct named){ .from = "*3.10? os=slim)" },
		"-build test (py=3.10, os=slim) -test (py=3.10, os=alpine)"
		" -test (py=3.12, os=slim) -test (py=3.12, os=alpine) deploy");
}

static void prefers_a_name_to_a_glob(void **state)
{
	(void)state;
	assert_runs_of(crossed, (struct named){ .only = "a[b]" },
		"-build -test (py=3.10, os=slim) -test (py=3.10, os=alpine)"
		" -test (py=3.12, os=slim) -test (py=3.12, os=alpine) -deploy"
		" a[b]");
}

static const char images[] = "image: a\n"
			     "stages: [own, shared, last]\n"
			     "prepare: {script: [p]}\n"
			     "own: {image: b, script: [x]}\n"
			     "shared: {script: [x], needs: []}\n"
			     "last: {image: b, script: [x]}\n";

static void runs_prepare_where_the_builds_container_is_used(void **state)
{
	(void)state;
	assert_runs_of(images, (struct named){ 0 }, "prepare own shared last");
	assert_runs_of(images, (struct named){ .only = "own" },
		"-prepare own -shared -last");
	assert_runs_of(images, (struct named){ .only = "shared" },
		"prepare -own shared -last");
	assert_runs_of(images, (struct named){ .stages = "last" },
		"prepare -own shared last");
	assert_runs_of(images,
		(struct named){ .stages = "last", .skip = "shared" },
		"-prepare -own -shared last");
	assert_runs_of(images, (struct named){ .only = "prepare,own" },
		"prepare own -shared -last");
}

static void says_why_each_stage_runs_or_not(void **state)
{
	const char *const stages[] = { "shared" };
	const char *const from[] = { "prepare" };
	struct planned planned = { 0 };

	(void)state;
	planned.options.selection = (struct br_plan_names){ stages, 1 };
	planned_must(&planned, images);
	assert_string_equal(planned_stage(&planned, "prepare")->why,
		"runs before all others");
	assert_string_equal(planned_stage(&planned, "shared")->why,
		"named on the command line");
	assert_string_equal(planned_stage(&planned, "own")->why,
		"neither named nor needed");
	planned_done(&planned);

	planned.options.from = (struct br_plan_names){ from, 1 };
	planned.options.only = (struct br_plan_names){ stages, 1 };
	planned.options.skip = (struct br_plan_names){ stages, 1 };
	planned_must(&planned, images);
	assert_string_equal(
		planned_stage(&planned, "prepare")->why, "named with --from");
	assert_string_equal(
		planned_stage(&planned, "own")->why, "after 'prepare'");
	assert_string_equal(
		planned_stage(&planned, "shared")->why, "left out with --skip");
	planned_done(&planned);

	planned.options.only = (struct br_plan_names){ from, 1 };
	planned_must(&planned, images);
	assert_string_equal(
		planned_stage(&planned, "prepare")->why, "named with --only");
	planned_done(&planned);
}

static void fails_for_a_glob_that_matches_nothing(void **state)
{
	const char *const skip[] = { "x*" };
	struct planned planned = { 0 };

	(void)state;
	planned.options.skip = (struct br_plan_names){ skip, 1 };
	assert_false(planned_build(&planned, manifest));
	assert_int_equal(planned.err.code, BR_EINPUT);
	assert_string_equal(
		planned.err.text, "no stage in .buildr.yml matches 'x*'");
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

/* Give "name" of what runs, with the shell in brackets. */
static void assert_shell(
	const char *stage, bool has_needs, const char *text, const char *wanted)
{
	struct planned planned = { .options = { .is_shell = true } };
	const struct br_plan_names names = { &stage, stage ? 1 : 0 };
	br_autobuf struct br_buf shown = { 0 };

	if (has_needs)
		planned.options.selection = names;
	else
		planned.options.only = names;
	planned_must(&planned, text);
	for (size_t i = 0; i < planned.plan->stage_count; i++) {
		const struct br_plan_stage *run = &planned.plan->stages[i];

		if (run->skip == BR_SKIP_NOT)
			br_buf_addf(&shown,
				run->is_shell ? "[%s:%zu]" : "%s:%zu ",
				run->name, run->step_count);
	}
	assert_string_equal(br_buf_text(&shown), wanted);
	planned_done(&planned);
}

static void opens_a_shell_instead_of_the_steps_of_a_stage(void **state)
{
	static const char own[] = "image: a\n"
				  "stages: [build, test]\n"
				  "defaults: {workdir: w, shell: zsh}\n"
				  "build: {script: [b]}\n"
				  "test:\n"
				  "  image: b\n"
				  "  when: {env: {NO: such}}\n"
				  "  script: [t, u]\n";
	struct planned planned = { .options = { .is_shell = true } };

	(void)state;
	assert_shell("test", false, manifest, "prepare:1 [test:0]");
	assert_shell("test", true, manifest, "prepare:1 build:1 [test:0]");
	assert_shell("prepare", false, manifest, "[prepare:0]");
	assert_shell(NULL, false, manifest, "prepare:1 [shell:0]");
	assert_shell("test", false, own, "[test:0]");
	assert_shell("test", true, own, "build:1 [test:0]");
	planned_must(&planned, own);
	assert_int_equal(planned.plan->stage_count, 1);
	assert_string_equal(planned.plan->stages[0].workdir, "/app/w");
	assert_string_equal(planned.plan->stages[0].shell[0], "zsh");
	planned_done(&planned);
}

static void opens_a_shell_in_one_container_only(void **state)
{
	const char *const all[] = { "*" };
	struct planned planned = {
		.options = { .is_shell = true, .only = { all, 1 } },
	};

	(void)state;
	assert_false(planned_build(&planned, manifest));
	assert_int_equal(planned.err.code, BR_EINPUT);
	assert_string_equal(planned.err.text,
		"a shell is in the container of one stage: 'prepare' or "
		"'build'?");
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
		cmocka_unit_test(runs_a_stage_without_what_it_needs),
		cmocka_unit_test(runs_a_stage_and_all_that_need_it),
		cmocka_unit_test(
			runs_unlisted_stages_through_which_others_need_it),
		cmocka_unit_test(leaves_out_what_is_skipped),
		cmocka_unit_test(adds_up_what_the_options_name),
		cmocka_unit_test(takes_globs_for_names),
		cmocka_unit_test(selects_combinations_of_a_matrix),
		cmocka_unit_test(prefers_a_name_to_a_glob),
		cmocka_unit_test(
			runs_prepare_where_the_builds_container_is_used),
		cmocka_unit_test(says_why_each_stage_runs_or_not),
		cmocka_unit_test(fails_for_a_glob_that_matches_nothing),
		cmocka_unit_test(rejects_a_name_that_no_stage_has),
		cmocka_unit_test(knows_no_prepare_where_there_is_none),
		cmocka_unit_test(opens_a_shell_instead_of_the_steps_of_a_stage),
		cmocka_unit_test(opens_a_shell_in_one_container_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
