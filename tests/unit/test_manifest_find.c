/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "manifest/manifest.h"

/* A temporary folder with a folder `a/b` in it, and the paths that it got. */
struct tree {
	char *root;
	char *deep;
	char *made[8];
	size_t made_count;
	/* Somebody's temporary folder may stand in a project of its own. */
	bool is_in_project;
};

static char *path_in(struct tree *tree, const char *name)
{
	char *path = br_path_join(tree->root, name);

	assert_true(tree->made_count < 8);
	tree->made[tree->made_count++] = path;
	return path;
}

static void make_folder(struct tree *tree, const char *name)
{
	assert_int_equal(mkdir(path_in(tree, name), 0700), 0);
}

static void make_file(struct tree *tree, const char *name, const char *text)
{
	struct br_err err = { 0 };

	assert_true(br_file_save_new(
		path_in(tree, name), 0600, text, strlen(text), &err));
}

static int set_up(void **state)
{
	const char *temp = getenv("TMPDIR");
	struct tree *tree = br_alloc(sizeof(*tree));
	br_autofree char *template =
		br_format("%s/manifest.XXXXXX", temp ? temp : "/tmp");
	br_autofree char *above = NULL;
	struct br_err err = { 0 };

	assert_non_null(mkdtemp(template));
	/* As the search would name it. */
	tree->root = realpath(template, NULL);
	assert_non_null(tree->root);
	tree->is_in_project = br_manifest_find(tree->root, &above, &err);
	make_folder(tree, "a");
	make_folder(tree, "a/b");
	tree->deep = br_path_join(tree->root, "a/b");
	*state = tree;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *tree = *state;

	while (tree->made_count > 0) {
		char *path = tree->made[--tree->made_count];

		assert_int_equal(remove(path), 0);
		free(path);
	}
	assert_int_equal(rmdir(tree->root), 0);
	free(tree->root);
	free(tree->deep);
	free(tree);
	return 0;
}

static void assert_found(struct tree *tree, const char *expected)
{
	br_autofree char *wanted = br_path_join(tree->root, expected);
	br_autofree char *path = NULL;
	struct br_err err = { 0 };

	if (!br_manifest_find(tree->deep, &path, &err))
		fail_msg("%s", err.text);
	assert_string_equal(path, wanted);
}

/* Nothing is found, and the error has the code and names `named`. */
static void assert_error(
	struct tree *tree, enum br_code code, const char *named)
{
	br_autofree char *path = NULL;
	struct br_err err = { 0 };

	assert_false(br_manifest_find(tree->deep, &path, &err));
	assert_int_equal(err.code, code);
	assert_null(path);
	if (!strstr(err.text, named))
		fail_msg("'%s' does not name '%s'", err.text, named);
}

static void finds_the_nearest_upwards(void **state)
{
	make_file(*state, ".buildr.yml", "");
	assert_found(*state, ".buildr.yml");
	make_file(*state, "a/.buildr.yaml", "");
	assert_found(*state, "a/.buildr.yaml");
	make_file(*state, "a/b/.buildr.yml", "");
	assert_found(*state, "a/b/.buildr.yml");
}

static void prefers_the_three_names_in_order(void **state)
{
	make_file(*state, "a/b/.buildr.yaml", "");
	make_file(*state, "a/b/.buildr.yml", "");
	assert_found(*state, "a/b/.buildr.yml");
	make_file(*state, "a/b/.buildr", "");
	assert_found(*state, "a/b/.buildr");
}

static void passes_a_directory_named_buildr_over(void **state)
{
	struct tree *tree = *state;

	make_folder(tree, "a/b/.buildr");
	if (!tree->is_in_project)
		assert_error(tree, BR_EINPUT, "/a/b/.buildr' is a directory");
	make_file(*state, "a/.buildr.yml", "");
	assert_found(*state, "a/.buildr.yml");
	make_file(*state, "a/b/.buildr.yml", "");
	assert_found(*state, "a/b/.buildr.yml");
}

static void refuses_a_directory_in_the_place_of_a_manifest(void **state)
{
	make_file(*state, ".buildr.yml", "");
	make_folder(*state, "a/.buildr.yml");
	assert_error(*state, BR_EINPUT, "/a/.buildr.yml' is a directory");
}

static void follows_links_but_not_to_nothing(void **state)
{
	struct tree *tree = *state;

	make_file(tree, "real.yml", "");
	assert_int_equal(
		symlink("../../real.yml", path_in(tree, "a/b/.buildr.yml")), 0);
	assert_found(tree, "a/b/.buildr.yml");
	assert_int_equal(symlink("nothing", path_in(tree, "a/b/.buildr")), 0);
	assert_error(tree, BR_EINPUT, "/a/b/.buildr' is a link to nothing");
}

static void looks_nowhere_but_upwards(void **state)
{
	struct tree *tree = *state;
	br_autoclose int back = open(".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	br_autofree char *path = NULL;
	struct br_err err = { 0 };

	assert_true(back >= 0);
	make_file(tree, "a/b/.buildr.yml", "");
	assert_int_equal(chdir(tree->deep), 0);
	bool is_found = br_manifest_find(tree->root, &path, &err);
	assert_int_equal(fchdir(back), 0);
	assert_int_equal(is_found, tree->is_in_project);
	if (!is_found)
		assert_int_equal(err.code, BR_ENOTFOUND);
}

static void needs_a_folder_to_begin_with(void **state)
{
	struct tree *tree = *state;

	make_file(tree, "a/b/file", "");
	free(tree->deep);
	tree->deep = br_path_join(tree->root, "a/b/file");
	assert_error(tree, BR_EINPUT, "is not a directory");
	free(tree->deep);
	tree->deep = br_path_join(tree->root, "a/c");
	assert_error(tree, BR_EINPUT, "no directory '");
}

static void loads_a_file_with_its_project_directory(void **state)
{
	struct tree *tree = *state;
	br_autofree char *path = br_path_join(tree->root, "a/./b/m.yml");
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };

	make_file(tree, "a/b/m.yml", "# first\nprepare: {script: make}\n");
	assert_true(
		br_manifest_load(path, "shown.yml", &manifest, &diags, &err));
	assert_non_null(manifest);
	assert_string_equal(manifest->file, "shown.yml");
	assert_string_equal(manifest->project_dir, tree->deep);

	/* More can be said of it, with its lines, while it lives. */
	br_diags_add(&diags, BR_SEVERITY_ERROR, manifest->prepare->place, NULL,
		"later");
	assert_int_equal(diags.count, 1);
	assert_string_equal(
		diags.items[0].source_line, "prepare: {script: make}");
	br_diags_done(&diags);
}

static void tells_why_a_file_cannot_be_loaded(void **state)
{
	struct tree *tree = *state;
	br_autofree char *large = br_alloc(BR_LIMIT_MANIFEST_BYTES + 2);
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };

	assert_false(
		br_manifest_load(tree->deep, "b", &manifest, &diags, &err));
	assert_int_equal(err.code, BR_EINPUT);

	memset(large, '#', BR_LIMIT_MANIFEST_BYTES + 1);
	make_file(tree, "a/b/large.yml", large);
	assert_false(br_manifest_load(tree->made[tree->made_count - 1], "large",
		&manifest, &diags, &err));
	assert_int_equal(err.code, BR_EINPUT);

	br_autofree char *missing = br_path_join(tree->root, "missing.yml");
	assert_false(br_manifest_load(
		missing, "missing.yml", &manifest, &diags, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(diags.count, 0);
	assert_null(manifest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_the_nearest_upwards),
		TEST(prefers_the_three_names_in_order),
		TEST(passes_a_directory_named_buildr_over),
		TEST(refuses_a_directory_in_the_place_of_a_manifest),
		TEST(follows_links_but_not_to_nothing),
		TEST(looks_nowhere_but_upwards),
		TEST(needs_a_folder_to_begin_with),
		TEST(loads_a_file_with_its_project_directory),
		TEST(tells_why_a_file_cannot_be_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
