/* SPDX-License-Identifier: MIT */
/*
 * Real repositories, made by the real git.
 *
 * Planted bugs that these tests were seen to catch: only the new name of what was
 * moved; names from the top of the repository; what is ignored; a user's way of
 * showing untracked files; the upstream itself for where the branch left it; the
 * caller's GIT_DIR; an upstream to which nothing was added.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/folder.h"
#include "base/process.h"
#include "plan/changes.h"

struct fixture {
	/* The repository of the project is in `project`. */
	char *folder;
	char *project;
	char *old_path;
	struct br_arena arena;
};

/* Run a script of the shell in the fixture's folder. */
static void must(const struct fixture *fixture, const char *script)
{
	br_autofree char *whole =
		br_format("set -e; cd '%s'\n%s", fixture->folder, script);
	const char *const argv[] = { "sh", "-c", whole, NULL };
	br_autobuf struct br_buf output = { 0 };
	struct br_process_result result = { 0 };
	struct br_err err = { 0 };

	if (!br_process_run(argv, "", 60000, 65536, &output, &result, &err))
		fail_msg("%s", err.text);
	if (result.status != 0)
		fail_msg("status %d: %s", result.status, script);
}

static int set_up(void **state)
{
	static const char *const variables[][2] = {
		{ "GIT_CONFIG_GLOBAL", "/dev/null" },
		{ "GIT_CONFIG_NOSYSTEM", "1" },
		{ "GIT_AUTHOR_NAME", "A" },
		{ "GIT_AUTHOR_EMAIL", "a@example.org" },
		{ "GIT_COMMITTER_NAME", "A" },
		{ "GIT_COMMITTER_EMAIL", "a@example.org" },
	};
	struct fixture *fixture = br_alloc(sizeof(*fixture));

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		assert_int_equal(
			setenv(variables[i][0], variables[i][1], 1), 0);
	fixture->folder = folder_make();
	fixture->project = br_path_join(fixture->folder, "project");
	fixture->old_path = br_strdup(getenv("PATH"));
	must(fixture,
		"mkdir project && cd project && git init -q -b main &&"
		"mkdir src && echo one > src/a && echo one > b &&"
		"printf '*.o\\n' > .gitignore &&"
		"git add . && git commit -q -m one");
	*state = fixture;
	return 0;
}

/* As they are set in a hook of another repository, and more. */
static const char *const misleading[][2] = {
	{ "GIT_DIR", "../other/.git" },
	{ "GIT_WORK_TREE", "../other" },
	{ "GIT_INDEX_FILE", "/nowhere/at/all" },
	{ "GIT_OBJECT_DIRECTORY", "/nowhere/at/all" },
	{ "GIT_COMMON_DIR", "/nowhere/at/all" },
	{ "GIT_PREFIX", "src/" },
	{ "GIT_EXTERNAL_DIFF", "/bin/false" },
	{ "GIT_LITERAL_PATHSPECS", "1" },
	{ "GIT_ICASE_PATHSPECS", "1" },
};

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(misleading) / sizeof(misleading[0]); i++)
		(void)unsetenv(misleading[i][0]);
	(void)unsetenv("GIT_CONFIG_COUNT");

	assert_int_equal(setenv("PATH", fixture->old_path, 1), 0);
	br_arena_done(&fixture->arena);
	folder_remove(fixture->folder);
	free(fixture->project);
	free(fixture->old_path);
	free(fixture);
	return 0;
}

/* Check the base and the names, each with a blank before. */
static void assert_changes(struct fixture *fixture, const char *folder,
	const char *wanted_base, const char *base, const char *names)
{
	struct br_notes notes = { .arena = &fixture->arena };
	struct br_changes changes = {
		.project_dir = folder,
		.wanted_base = wanted_base,
		.arena = &fixture->arena,
		.notes = &notes,
	};
	br_autobuf struct br_buf text = { 0 };

	assert_true(br_changes_find(&changes));
	assert_string_equal(changes.base, base);
	for (size_t i = 0; i < changes.count; i++)
		br_buf_addf(&text, " %s", changes.paths[i]);
	assert_string_equal(br_buf_text(&text), names);
	assert_null(br_notes_list(&notes)[0]);
	/* The second stage that asks gets the same answer. */
	assert_true(br_changes_find(&changes));
}

static void assert_unknown(struct fixture *fixture, const char *folder,
	const char *wanted_base, const char *note)
{
	struct br_notes notes = { .arena = &fixture->arena };
	struct br_changes changes = {
		.project_dir = folder,
		.wanted_base = wanted_base,
		.arena = &fixture->arena,
		.notes = &notes,
	};

	assert_false(br_changes_find(&changes));
	assert_false(br_changes_find(&changes));
	assert_string_equal(br_notes_list(&notes)[0], note);
	assert_null(br_notes_list(&notes)[1]);
}

#define NO_COMMIT \
	"what changed cannot be told: the project has no earlier commit in " \
	"git; stages with 'changes' run"

static void cannot_tell_outside_of_a_work_tree(void **state)
{
	struct fixture *fixture = *state;

	must(fixture, "mkdir -p other/.git");
	br_autofree char *other = br_path_join(fixture->folder, "other");
	assert_unknown(fixture, other, NULL, NO_COMMIT);
	assert_unknown(fixture, "/nowhere/at/all", NULL, NO_COMMIT);
}

static void cannot_tell_before_the_second_commit(void **state)
{
	struct fixture *fixture = *state;

	assert_unknown(fixture, fixture->project, NULL, NO_COMMIT);
	must(fixture, "git init -q empty");
	br_autofree char *empty = br_path_join(fixture->folder, "empty");
	assert_unknown(fixture, empty, NULL, NO_COMMIT);
}

static void cannot_tell_without_git(void **state)
{
	struct fixture *fixture = *state;

	must(fixture, "cd project && git commit -q --allow-empty -m two");
	assert_int_equal(setenv("PATH", "/nowhere/at/all", 1), 0);
	assert_unknown(fixture, fixture->project, NULL, NO_COMMIT);
}

static void compares_to_the_commit_before(void **state)
{
	struct fixture *fixture = *state;

	must(fixture, "cd project && echo two > b && git commit -q -a -m two");
	assert_changes(
		fixture, fixture->project, NULL, "the commit before", " b");
	/* A checkout of a commit is at no branch. */
	must(fixture, "cd project && git checkout -q --detach");
	assert_changes(
		fixture, fixture->project, NULL, "the commit before", " b");
}

static void counts_what_is_not_committed_or_not_even_added(void **state)
{
	struct fixture *fixture = *state;

	must(fixture,
		"cd project && git commit -q --allow-empty -m two &&"
		"echo two > b && echo new > src/c && git add src/c &&"
		"echo new > d && echo no > e.o");
	assert_changes(fixture, fixture->project, NULL, "the commit before",
		" b src/c d");
}

/* Two repositories, and a commit on either side. */
static void fork_project(const struct fixture *fixture)
{
	must(fixture,
		"git clone -q project fork &&"
		"(cd project && echo two > b && git commit -q -a -m theirs) &&"
		"cd fork && echo two > src/a && git commit -q -a -m ours &&"
		"echo new > c && git add c && git commit -q -m more &&"
		"git fetch -q");
}

static void compares_to_where_the_branch_left_its_upstream(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *fork = br_path_join(fixture->folder, "fork");

	fork_project(fixture);
	assert_changes(fixture, fork, NULL, "@{upstream}", " c src/a");
}

static void compares_to_where_the_branch_left_the_default_branch(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *fork = br_path_join(fixture->folder, "fork");

	fork_project(fixture);
	must(fixture, "cd fork && git checkout -q --no-track -b topic");
	assert_changes(fixture, fork, NULL, "origin/HEAD", " c src/a");
	must(fixture, "cd fork && git checkout -q --detach");
	assert_changes(fixture, fork, NULL, "origin/HEAD", " c src/a");
}

static void compares_what_was_pushed_to_the_commit_before(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *fork = br_path_join(fixture->folder, "fork");

	must(fixture,
		"(cd project && echo two > b && git commit -q -a -m two) &&"
		"git clone -q project fork");
	assert_changes(fixture, fork, NULL, "the commit before", " b");
	/* With work on it, that is what changed. */
	must(fixture, "echo new > fork/c");
	assert_changes(fixture, fork, NULL, "@{upstream}", " c");
}

static void cannot_tell_in_a_clone_of_one_commit(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *fork = br_path_join(fixture->folder, "fork");

	must(fixture,
		"(cd project && echo two > b && git commit -q -a -m two) &&"
		"git clone -q --depth 1 \"file://$PWD/project\" fork");
	assert_unknown(fixture, fork, NULL, NO_COMMIT);
}

static void compares_to_the_commit_that_is_asked_for(void **state)
{
	struct fixture *fixture = *state;

	must(fixture,
		"cd project && git tag -a -m t v1 &&"
		"echo two > b && git commit -q -a -m two &&"
		"echo two > src/a && git commit -q -a -m three");
	assert_changes(fixture, fixture->project, "v1", "v1", " b src/a");
	assert_changes(fixture, fixture->project, "HEAD~1", "HEAD~1", " src/a");
	assert_changes(fixture, fixture->project, "HEAD", "HEAD", "");
}

static void says_that_git_does_not_know_the_commit(void **state)
{
	struct fixture *fixture = *state;

	assert_unknown(fixture, fixture->project, "v9",
		"what changed since 'v9' cannot be told: git knows no such "
		"commit here; stages with 'changes' run");
	assert_unknown(fixture, fixture->project, "--all",
		"what changed since '--all' cannot be told: git knows no such "
		"commit here; stages with 'changes' run");
	/* A file is no commit. */
	assert_unknown(fixture, fixture->project, "HEAD:b",
		"what changed since 'HEAD:b' cannot be told: git knows no such "
		"commit here; stages with 'changes' run");
}

static void counts_what_was_moved_or_removed(void **state)
{
	struct fixture *fixture = *state;

	must(fixture,
		"cd project && seq 100 > src/long && echo x > x &&"
		"git add . && git commit -q -m two &&"
		"git mv src/long moved && git rm -q x && rm b");
	assert_changes(fixture, fixture->project, "HEAD", "HEAD",
		" b moved src/long x");
}

static void counts_from_the_project_in_a_folder_of_the_repository(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *src = br_path_join(fixture->project, "src");

	must(fixture,
		"cd project && echo two > b && echo two > src/a &&"
		"git commit -q -a -m two && echo new > c && echo new > src/c");
	assert_changes(fixture, src, NULL, "the commit before", " a c");
	/* What is outside of the project makes no work of it. */
	must(fixture,
		"cd project && rm src/c && git clone -q . ../fork && cd .. &&"
		"echo new > fork/d");
	br_autofree char *fork = br_path_join(fixture->folder, "fork/src");
	assert_changes(fixture, fork, NULL, "the commit before", " a");
}

static void takes_any_name_of_a_file(void **state)
{
	struct fixture *fixture = *state;

	must(fixture,
		"cd project && echo 1 > \"$(printf 'a\\nb')\" &&"
		"echo 1 > 'q\"uo\\te' && echo 1 > \"$(printf 'gr\\303\\274n')\""
		"&& git add . && echo 1 > \"$(printf '\\377 x')\" && echo 1 >"
		" ':(top)'");
	assert_changes(fixture, fixture->project, "HEAD", "HEAD",
		" a\nb gr\xc3\xbcn q\"uo\\te :(top) \xff x");
}

static void is_not_misled_by_the_callers_variables(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *src = br_path_join(fixture->project, "src");

	must(fixture,
		"cd project && echo two > b && echo two > src/a &&"
		"git commit -q -a -m two && git init -q ../other && cd ../other"
		"&& echo one > x && git add . && git commit -q -m one");
	for (size_t i = 0; i < sizeof(misleading) / sizeof(misleading[0]); i++)
		assert_int_equal(
			setenv(misleading[i][0], misleading[i][1], 1), 0);
	assert_changes(fixture, fixture->project, NULL, "the commit before",
		" b src/a");
	assert_changes(fixture, src, NULL, "the commit before", " a");
}

/* Its own configuration, such as of whom it trusts, git does get. */
static void leaves_git_the_configuration_of_the_caller(void **state)
{
	struct fixture *fixture = *state;

	must(fixture, "cd project && git commit -q --allow-empty -m two");
	assert_int_equal(setenv("GIT_CONFIG_COUNT", "1", 1), 0);
	assert_int_equal(setenv("GIT_CONFIG_KEY_0", "core.excludesFile", 1), 0);
	assert_int_equal(setenv("GIT_CONFIG_VALUE_0", "src/rules", 1), 0);
	must(fixture,
		"cd project && echo '*.x' > src/rules && echo no > a.x &&"
		"echo yes > a.y");
	assert_changes(fixture, fixture->project, NULL, "the commit before",
		" a.y src/rules");
}

static void is_not_misled_by_what_the_user_has_configured(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *fork = br_path_join(fixture->folder, "fork");

	must(fixture,
		"(cd project && git commit -q --allow-empty -m two) &&"
		"git clone -q project fork && cd fork &&"
		"for set in status.showUntrackedFiles=no color.ui=always"
		" diff.renames=copies diff.external=/bin/false"
		" status.short=true status.branch=true core.quotePath=true"
		" diff.noprefix=true diff.relative=true"
		" diff.autoRefreshIndex=false diff.orderFile=/nowhere;"
		" do git config \"${set%%=*}\" \"${set#*=}\"; done");
	/* Touched, but with what it had in it: nothing changed. */
	must(fixture, "touch -d 2001-01-01 fork/b");
	assert_changes(fixture, fork, NULL, "the commit before", "");
	must(fixture, "echo new > fork/c");
	assert_changes(fixture, fork, NULL, "@{upstream}", " c");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cannot_tell_outside_of_a_work_tree),
		TEST(cannot_tell_before_the_second_commit),
		TEST(cannot_tell_without_git),
		TEST(compares_to_the_commit_before),
		TEST(counts_what_is_not_committed_or_not_even_added),
		TEST(compares_to_where_the_branch_left_its_upstream),
		TEST(compares_to_where_the_branch_left_the_default_branch),
		TEST(compares_what_was_pushed_to_the_commit_before),
		TEST(cannot_tell_in_a_clone_of_one_commit),
		TEST(compares_to_the_commit_that_is_asked_for),
		TEST(says_that_git_does_not_know_the_commit),
		TEST(counts_what_was_moved_or_removed),
		TEST(counts_from_the_project_in_a_folder_of_the_repository),
		TEST(takes_any_name_of_a_file),
		TEST(is_not_misled_by_the_callers_variables),
		TEST(leaves_git_the_configuration_of_the_caller),
		TEST(is_not_misled_by_what_the_user_has_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
