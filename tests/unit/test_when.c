/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: of the globs the first that
 * matches decides; a variable that is not set is not as an empty one; the caller's
 * variables left out; a name that begins like the one that is asked for.
 */
#include "../support/folder.h"
#include "planned.h"

#include "base/buf.h"
#include "base/process.h"

/* A project with a repository of files that only say what is checked out. */
static char *make_project(const char *head, const char *tag)
{
	static const char commit[] =
		"0123456789abcdef0123456789abcdef01234567\n";
	char *folder = folder_make();

	folder_write(folder, ".git/HEAD", 0600, head ? head : commit);
	folder_write(folder, ".git/refs/heads/main", 0600, commit);
	folder_write(folder, ".git/refs/heads/release/1.2", 0600, commit);
	if (tag) {
		br_autofree char *path = br_format(".git/refs/tags/%s", tag);

		folder_write(folder, path, 0600, commit);
	}
	return folder;
}

/* What the conditions are about. */
struct facts {
	const char *folder;
	const char *event;
	const char *const *environment;
};

/* Check why a stage with `when` does not run; NULL: it does. */
static void assert_why(
	const struct facts *facts, const char *when, const char *wanted)
{
	struct planned planned = {
		.project_dir = facts->folder,
		.options = { .event = facts->event,
			.environment = facts->environment },
	};
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&text,
		"image: a\n"
		"environment: {vars: {MODE: fast, EMPTY: \"\"}}\n"
		"stages: [s, next]\n"
		"s: {environment: {OWN: 1.10}, when: {%s}}\n"
		"next: {}\n",
		when);
	planned_must(&planned, text.data);

	const struct br_plan_stage *stage = planned_stage(&planned, "s");
	assert_int_equal(stage->skip, wanted ? BR_SKIP_WHEN : BR_SKIP_NOT);
	assert_string_equal(stage->why, wanted ? wanted : "listed in 'stages'");
	/* Those that need it run as if it had passed. */
	assert_int_equal(planned_stage(&planned, "next")->skip, BR_SKIP_NOT);
	planned_done(&planned);
}

static void asks_for_the_branch(void **state)
{
	char *at_main = make_project("ref: refs/heads/main\n", NULL);
	char *at_release = make_project("ref: refs/heads/release/1.2\n", NULL);
	char *detached = make_project(NULL, NULL);
	const struct facts on_main = { .folder = at_main };
	const struct facts on_release = { .folder = at_release };
	const struct facts on_none = { .folder = detached };
	const struct facts outside = { 0 };

	(void)state;
	assert_why(&on_main, "branch: main", NULL);
	assert_why(&on_main, "branch: [x, \"m*\"]", NULL);
	assert_why(&on_main, "branch: [mai, \"release/*\"]",
		"branch 'main' is not mai, release/*");
	assert_why(&on_release, "branch: \"release/*\"", NULL);
	/* A star is any text, also with a slash in it. */
	assert_why(&on_release, "branch: \"*\"", NULL);
	assert_why(&on_none, "branch: \"*\"", "no branch, needs *");
	assert_why(&outside, "branch: \"*\"", "no branch, needs *");
	folder_remove(at_main);
	folder_remove(at_release);
	folder_remove(detached);
}

static void asks_for_the_tag(void **state)
{
	char *tagged = make_project(NULL, "v1.2");
	char *plain = make_project(NULL, NULL);
	const struct facts at_tag = { .folder = tagged };
	const struct facts at_none = { .folder = plain };

	(void)state;
	assert_why(&at_tag, "tag: \"v[0-9]*\"", NULL);
	assert_why(&at_tag, "tag: v1", "tag 'v1.2' is not v1");
	assert_why(&at_none, "tag: \"*\"", "no tag, needs *");
	folder_remove(tagged);
	folder_remove(plain);
}

static void asks_for_the_event(void **state)
{
	const struct facts by_hand = { 0 };
	const struct facts pushed = { .event = "push" };

	(void)state;
	assert_why(&by_hand, "event: manual", NULL);
	assert_why(&pushed, "event: [manual, push]", NULL);
	assert_why(&pushed, "event: manual", "event 'push' is not manual");
}

static void asks_for_variables_that_the_stage_would_have(void **state)
{
	static const char *const environment[] = { "DAYS=x", "DAY=Monday",
		"MODE=slow", "MODEL=x", NULL };
	const struct facts facts = { .environment = environment };

	(void)state;
	assert_why(&facts, "env: {MODE: fast}", NULL);
	assert_why(&facts, "env: {OWN: \"1.*\", MODE: [x, \"f*\"]}", NULL);
	/* The caller's, where the stage has none. */
	assert_why(&facts, "env: {DAY: \"Mon*\"}", NULL);
	assert_why(&facts, "env: {CI: true, BUILDR_STAGE: s}", NULL);
	/* Values may be secret: they are not shown. */
	assert_why(&facts, "env: {MODE: slow, DAY: x}",
		"variable 'MODE' is not slow");
	assert_why(&facts, "env: {NONE: [x, y]}",
		"variable 'NONE' is not set, needs x, y");
	/* One that is not set is as one that is empty. */
	assert_why(&facts, "env: {NONE: \"\", EMPTY: \"\"}", NULL);
	assert_why(
		&facts, "env: {EMPTY: \"?*\"}", "variable 'EMPTY' is not ?*");
}

static void knows_each_combination_of_a_matrix(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s]\n"
		"s: {matrix: {os: [a, b]}, when: {env: {os: b}}}\n");
	assert_string_equal(planned_stage(&planned, "s (os=a)")->why,
		"variable 'os' is not b");
	assert_int_equal(
		planned_stage(&planned, "s (os=b)")->skip, BR_SKIP_NOT);
	planned_done(&planned);
}

static void wants_all_conditions_to_hold(void **state)
{
	char *folder = make_project("ref: refs/heads/main\n", "v1");
	const struct facts facts = { .folder = folder };

	(void)state;
	assert_why(&facts, "branch: main, tag: v1, env: {MODE: fast}", NULL);
	assert_why(&facts, "branch: main, tag: v2, env: {MODE: fast}",
		"tag 'v1' is not v2");
	assert_why(&facts, "branch: main, tag: v1, env: {MODE: slow}",
		"variable 'MODE' is not slow");
	folder_remove(folder);
}

static void says_nothing_of_what_is_not_selected(void **state)
{
	const char *const names[] = { "other" };
	struct planned planned = {
		.options.selection = { .items = names, .count = 1 },
	};

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s, other]\n"
		"s: {when: {event: push}}\n"
		"other: {needs: []}\n");
	assert_int_equal(planned_stage(&planned, "s")->skip, BR_SKIP_SELECTION);
	planned_done(&planned);
}

/* A stage that is named runs only where its conditions hold all the same. */
static void judges_what_is_named_too(void **state)
{
	const char *const names[] = { "s" };
	struct planned planned = {
		.options.only = { .items = names, .count = 1 },
	};

	(void)state;
	planned_must(
		&planned, "image: a\nstages: [s]\ns: {when: {event: push}}\n");
	assert_int_equal(planned_stage(&planned, "s")->skip, BR_SKIP_WHEN);
	planned_done(&planned);
}

static void leaves_the_status_to_the_run(void **state)
{
	struct planned planned = { 0 };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s, f, a]\n"
		"s: {script: x}\n"
		"f: {when: {status: failure}, script: x}\n"
		"a: {when: {status: always}, script: x}\n");
	assert_int_equal(planned_stage(&planned, "s")->status, BR_WHEN_SUCCESS);
	assert_int_equal(planned_stage(&planned, "f")->status, BR_WHEN_FAILURE);
	assert_int_equal(planned_stage(&planned, "f")->skip, BR_SKIP_NOT);
	assert_int_equal(planned_stage(&planned, "a")->status, BR_WHEN_ALWAYS);
	planned_done(&planned);
}

/* A repository with one commit, and the files `a/x`, `b` and `doc/y` on top. */
static char *make_changed_project(void)
{
	char *folder = folder_make();
	br_autofree char *script = br_format(
		"unset $(git rev-parse --local-env-vars) && cd '%s' &&"
		"git init -q && git -c user.name=A -c user.email=a@example.org"
		" commit -q --allow-empty -m one && mkdir a doc &&"
		"touch a/x b doc/y",
		folder);
	const char *const argv[] = { "sh", "-c", script, NULL };
	br_autobuf struct br_buf output = { 0 };
	struct br_process_result result = { 0 };
	struct br_err err = { 0 };

	assert_true(
		br_process_run(argv, "", 60000, 65536, &output, &result, &err));
	assert_int_equal(result.status, 0);
	return folder;
}

static void assert_changes(const char *folder, const char *base,
	const char *globs, const char *wanted)
{
	struct planned planned = {
		.project_dir = folder,
		.options.base = base,
	};
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&text,
		"image: a\nstages: [s]\ns: {when: {changes: [%s]}}\n", globs);
	planned_must(&planned, text.data);
	assert_string_equal(planned_stage(&planned, "s")->why,
		wanted ? wanted : "listed in 'stages'");
	assert_int_equal(planned_stage(&planned, "s")->skip,
		wanted ? BR_SKIP_WHEN : BR_SKIP_NOT);
	planned_done(&planned);
}

static void asks_for_files_that_changed(void **state)
{
	char *folder = make_changed_project();

	(void)state;
	assert_changes(folder, "HEAD", "a/", NULL);
	assert_changes(folder, "HEAD", "\"**/y\"", NULL);
	assert_changes(folder, "HEAD", "\"*.c\", /x",
		"nothing changed since HEAD in *.c, /x");
	/* The last glob that matches decides. */
	assert_changes(folder, "HEAD", "doc/, \"!doc/y\"",
		"nothing changed since HEAD in doc/, !doc/y");
	assert_changes(folder, "HEAD", "\"**\", \"!a/\", \"!doc/\"", NULL);
	assert_changes(folder, "HEAD", "\"**\", \"!a/\", \"!doc/\", \"!b\"",
		"nothing changed since HEAD in **, !a/, !doc/, !b");
	assert_changes(folder, "HEAD", "\"!a/\", \"a/\"", NULL);
	folder_remove(folder);
}

static void runs_where_nobody_can_tell_what_changed(void **state)
{
	char *folder = make_changed_project();
	struct planned planned = { .project_dir = folder };

	(void)state;
	planned_must(&planned,
		"image: a\n"
		"stages: [s, t]\n"
		"s: {when: {changes: nothing}}\n"
		"t: {when: {changes: [nothing]}}\n");
	assert_int_equal(planned_stage(&planned, "t")->skip, BR_SKIP_NOT);
	planned_assert_warning(&planned,
		"what changed cannot be told: the project has no earlier "
		"commit in git; stages with 'changes' run");
	planned_done(&planned);
	folder_remove(folder);
}

/* `changed` is what somebody knows, and git is not asked. */
static void takes_the_word_of_who_knows_what_changed(void **state)
{
	static const char *const paths[] = { "src/a.c", "doc/y" };
	const struct br_plan_names changed = { paths, 2 };
	const struct br_plan_names nothing = { NULL, 0 };
	static const char text[] = "image: a\n"
				   "stages: [s]\n"
				   "s: {when: {changes: doc/}}\n";
	struct planned some = { .options.changed = &changed };
	struct planned none = { .options.changed = &nothing };

	(void)state;
	planned_must(&some, text);
	assert_int_equal(planned_stage(&some, "s")->skip, BR_SKIP_NOT);
	planned_done(&some);
	planned_must(&none, text);
	assert_int_equal(planned_stage(&none, "s")->skip, BR_SKIP_WHEN);
	assert_string_equal(planned_stage(&none, "s")->why,
		"nothing changed since the last build that passed in doc/");
	planned_done(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_the_branch),
		cmocka_unit_test(asks_for_the_tag),
		cmocka_unit_test(asks_for_the_event),
		cmocka_unit_test(asks_for_variables_that_the_stage_would_have),
		cmocka_unit_test(knows_each_combination_of_a_matrix),
		cmocka_unit_test(wants_all_conditions_to_hold),
		cmocka_unit_test(says_nothing_of_what_is_not_selected),
		cmocka_unit_test(judges_what_is_named_too),
		cmocka_unit_test(leaves_the_status_to_the_run),
		cmocka_unit_test(asks_for_files_that_changed),
		cmocka_unit_test(runs_where_nobody_can_tell_what_changed),
		cmocka_unit_test(takes_the_word_of_who_knows_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
