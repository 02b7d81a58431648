/* SPDX-License-Identifier: MIT */
/*
 * The repositories are written by hand, and `git` is a script that tells what it
 * was asked: so a test sees when git is started at all.
 *
 * Planted bugs that these tests were seen to catch: parents that are not looked
 * at; the tag object taken for the commit; a packed reference or tag that wins
 * over a file; a branch that is looked for in the linked work tree only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/process.h"
#include "plan/git.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER "89abcdef0123456789abcdef0123456789abcdef"
#define TAG_OBJECT "ffffffffffffffffffffffffffffffffffffffff"

struct fixture {
	/* Everything is in it; the project is in `project`. */
	char *folder;
	char *project;
	char *old_path;
	struct br_arena arena;
	struct br_git git;
};

static char *below(const struct fixture *fixture, const char *name)
{
	return br_path_join(fixture->folder, name);
}

static void make_folders(const char *path)
{
	br_autofree char *part = br_strdup(path);

	for (char *slash = strchr(part + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0700);
		*slash = '/';
	}
	(void)mkdir(part, 0700);
}

static void write_mode(const struct fixture *fixture, const char *name,
	unsigned mode, const char *text)
{
	br_autofree char *path = below(fixture, name);
	br_autofree char *folder = br_strdup(path);
	struct br_err err = { 0 };

	*strrchr(folder, '/') = '\0';
	make_folders(folder);
	assert_true(br_file_save_new(path, mode, text, strlen(text), &err));
}

static void write_file(
	const struct fixture *fixture, const char *name, const char *text)
{
	write_mode(fixture, name, 0600, text);
}

/* A `git` that answers with `answer` and notes what it was asked. */
static void fake_git(const struct fixture *fixture, const char *answer)
{
	br_autofree char *script = br_format("#!/bin/sh\n"
					     "echo \"$@\" >> '%s/asked'\n"
					     "%s\n",
		fixture->folder, answer);
	br_autofree char *bin = below(fixture, "bin");
	br_autofree char *path = br_format("%s:%s", bin, fixture->old_path);

	write_mode(fixture, "bin/git", 0700, script);
	assert_int_equal(setenv("PATH", path, 1), 0);
}

/* What git was asked, one line a time; "" where it was not. */
static char *asked(const struct fixture *fixture)
{
	br_autofree char *path = below(fixture, "asked");
	struct br_buf text = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, 65536, &text, &err))
		assert_int_equal(err.code, BR_ENOTFOUND);
	return br_buf_take(&text);
}

static int set_up(void **state)
{
	struct fixture *fixture = br_alloc(sizeof(*fixture));
	const char *place = getenv("TMPDIR");

	fixture->folder = br_format("%s/git-XXXXXX", place ? place : "/tmp");
	assert_non_null(mkdtemp(fixture->folder));
	fixture->project = below(fixture, "project");
	make_folders(fixture->project);
	fixture->old_path = br_strdup(getenv("PATH"));
	fake_git(fixture, "exit 1");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	const char *const argv[] = { "rm", "-rf", fixture->folder, NULL };
	struct br_process_result result = { 0 };
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };

	assert_int_equal(setenv("PATH", fixture->old_path, 1), 0);
	assert_true(
		br_process_run(argv, "", 60000, 65536, &output, &result, &err));
	br_arena_done(&fixture->arena);
	free(fixture->old_path);
	free(fixture->project);
	free(fixture->folder);
	free(fixture);
	return 0;
}

static void assert_text(const char *text, const char *wanted)
{
	if (!wanted) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, wanted);
}

static void assert_git(struct fixture *fixture, const char *folder,
	const char *commit, const char *branch, const char *tag)
{
	br_git_find(folder, &fixture->arena, &fixture->git);
	assert_text(fixture->git.commit, commit);
	assert_text(fixture->git.branch, branch);
	assert_text(fixture->git.tag, tag);
}

static void finds_nothing_outside_of_a_work_tree(void **state)
{
	struct fixture *fixture = *state;

	assert_git(fixture, "/nowhere/at/all", NULL, NULL, NULL);
}

static void reads_a_branch(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *questions = NULL;

	write_file(fixture, "project/.git/HEAD", "ref: refs/heads/feature/x\n");
	write_file(fixture, "project/.git/refs/heads/feature/x", COMMIT "\n");
	assert_git(fixture, fixture->project, COMMIT, "feature/x", NULL);
	questions = asked(fixture);
	assert_string_equal(questions, "");
}

static void looks_into_parents(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *deep = below(fixture, "project/a/b/c");

	make_folders(deep);
	/* A folder that is no repository does not stop the search. */
	write_file(fixture, "project/a/.git/notes", "mine\n");
	write_file(fixture, "project/.git/HEAD", COMMIT "\n");
	assert_git(fixture, deep, COMMIT, NULL, NULL);
}

static void knows_a_branch_without_a_commit(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "project/.git/HEAD", "ref: refs/heads/main\n");
	assert_git(fixture, fixture->project, NULL, "main", NULL);
}

static void reads_packed_references(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "project/.git/HEAD", "ref: refs/heads/main\n");
	write_file(fixture, "project/.git/packed-refs",
		"# pack-refs with: peeled fully-peeled sorted \n" OTHER
		" refs/heads/mai\n" COMMIT " refs/heads/main\n" OTHER
		" refs/heads/main2\n");
	assert_git(fixture, fixture->project, COMMIT, "main", NULL);
}

static void prefers_a_file_to_a_packed_reference(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "project/.git/HEAD", "ref: refs/heads/main\n");
	write_file(fixture, "project/.git/refs/heads/main", COMMIT "\n");
	write_file(fixture, "project/.git/refs/tags/moved", OTHER "\n");
	write_file(fixture, "project/.git/packed-refs",
		OTHER " refs/heads/main\n" COMMIT " refs/tags/moved\n");
	assert_git(fixture, fixture->project, COMMIT, "main", NULL);
}

static void reads_a_linked_work_tree(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *link = br_format(
		"gitdir: %s/main/.git/worktrees/w\n", fixture->folder);

	write_file(fixture, "project/.git", link);
	write_file(fixture, "main/.git/HEAD", "ref: refs/heads/main\n");
	write_file(fixture, "main/.git/refs/heads/main", OTHER "\n");
	write_file(fixture, "main/.git/refs/heads/side", COMMIT "\n");
	write_file(fixture, "main/.git/packed-refs", COMMIT " refs/tags/v1\n");
	write_file(fixture, "main/.git/worktrees/w/HEAD",
		"ref: refs/heads/side\n");
	write_file(fixture, "main/.git/worktrees/w/commondir", "../..\n");
	assert_git(fixture, fixture->project, COMMIT, "side", "v1");
}

static void finds_the_highest_tag_of_the_commit(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *questions = NULL;

	write_file(fixture, "project/.git/HEAD", COMMIT "\n");
	write_file(fixture, "project/.git/refs/tags/v1.9", COMMIT "\n");
	write_file(fixture, "project/.git/packed-refs",
		"# pack-refs with: peeled fully-peeled sorted \n" OTHER
		" refs/tags/v2.0\n" COMMIT " refs/tags/v1.10-rc1\n" TAG_OBJECT
		" refs/tags/v1.10\n^" COMMIT "\n" OTHER
		" refs/tags/v3.0\n^" OTHER "\n");
	assert_git(fixture, fixture->project, COMMIT, NULL, "v1.10");
	questions = asked(fixture);
	assert_string_equal(questions, "");
}

static void asks_git_for_a_tag_that_its_file_does_not_tell(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *bin = below(fixture, "bin/git");
	br_autofree char *wanted =
		br_format("--git-dir %s/.git tag --points-at " COMMIT "\n",
			fixture->project);
	br_autofree char *questions = NULL;

	assert_int_equal(unlink(bin), 0);
	fake_git(fixture, "echo release/2; echo release/10");
	write_file(fixture, "project/.git/HEAD", COMMIT "\n");
	write_file(
		fixture, "project/.git/refs/tags/release/10", TAG_OBJECT "\n");
	assert_git(fixture, fixture->project, COMMIT, NULL, "release/10");
	questions = asked(fixture);
	assert_string_equal(questions, wanted);
}

static void makes_do_without_git(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "project/.git/HEAD", COMMIT "\n");
	write_file(fixture, "project/.git/refs/tags/v1", COMMIT "\n");
	write_file(fixture, "project/.git/refs/tags/v2", TAG_OBJECT "\n");
	/* The script says no. */
	assert_git(fixture, fixture->project, COMMIT, NULL, "v1");
	assert_int_equal(setenv("PATH", "/nowhere/at/all", 1), 0);
	assert_git(fixture, fixture->project, COMMIT, NULL, "v1");
}

static void asks_git_where_references_are_in_tables(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *bin = below(fixture, "bin/git");

	assert_int_equal(unlink(bin), 0);
	fake_git(fixture,
		"case $3 in\n"
		"symbolic-ref) echo main ;;\n"
		"rev-parse) echo " COMMIT " ;;\n"
		"tag) echo v1 ;;\n"
		"esac");
	write_file(fixture, "project/.git/HEAD", "ref: refs/heads/.invalid\n");
	write_file(fixture, "project/.git/reftable/tables.list", "");
	assert_git(fixture, fixture->project, COMMIT, "main", "v1");
}

static void is_not_confused_by_files_that_are_none_of_gits(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "project/.git/HEAD", "ref: refs/heads/loop\n");
	write_file(fixture, "project/.git/refs/heads/loop",
		"ref: refs/heads/loop\n");
	write_file(fixture, "project/.git/packed-refs",
		"\n \n^\n^x\nno-blank\n refs/tags/x\n" COMMIT " \n" COMMIT);
	assert_git(fixture, fixture->project, NULL, "loop", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_nothing_outside_of_a_work_tree),
		TEST(reads_a_branch),
		TEST(looks_into_parents),
		TEST(knows_a_branch_without_a_commit),
		TEST(reads_packed_references),
		TEST(prefers_a_file_to_a_packed_reference),
		TEST(reads_a_linked_work_tree),
		TEST(finds_the_highest_tag_of_the_commit),
		TEST(asks_git_for_a_tag_that_its_file_does_not_tell),
		TEST(makes_do_without_git),
		TEST(asks_git_where_references_are_in_tables),
		TEST(is_not_confused_by_files_that_are_none_of_gits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
