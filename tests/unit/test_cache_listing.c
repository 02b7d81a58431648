/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/glob.h"
#include "cache/beneath.h"
#include "cache/globs.h"
#include "cache/listing.h"
#include "tests/support/folder.h"
#include "tests/support/no_root.h"

struct fixture {
	char *root;
	int root_fd;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = folder_make();
	fixture->root_fd = open(fixture->root, O_RDONLY | O_DIRECTORY);
	*state = fixture;
	return fixture->root_fd < 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	/* Where a test has failed in between. */
	no_root_end();
	(void)close(fixture->root_fd);
	folder_remove(fixture->root);
	free(fixture);
	return 0;
}

static void write_files(const struct fixture *fixture, const char *const *paths)
{
	for (size_t i = 0; paths[i]; i++)
		folder_write(fixture->root, paths[i], 0644, paths[i]);
}

static size_t count_texts(const char *const *texts)
{
	size_t count = 0;

	while (texts[count])
		count++;
	return count;
}

static struct br_globs *take_globs(const char *const *texts)
{
	struct br_globs *globs = NULL;
	struct br_err err = { 0 };

	assert_true(br_globs_new(texts, count_texts(texts), &globs, &err));
	return globs;
}

/* List what `texts` choose as one text: the paths, a blank behind each. */
static char *list(const struct fixture *fixture, const char *const *texts,
	bool has_folders)
{
	br_auto(br_globs) struct br_globs *globs = take_globs(texts);
	br_autolisting struct br_listing listing = { 0 };
	struct br_buf text = { 0 };
	struct br_err err = { 0 };

	if (!br_listing_find(
		    fixture->root_fd, globs, has_folders, &listing, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < listing.count; i++)
		br_buf_addf(&text, "%s%s ", listing.items[i].path,
			listing.items[i].kind == BR_LISTED_FOLDER ? "/" : "");
	return br_buf_take(&text);
}

static void check_list(const struct fixture *fixture, const char *const *texts,
	const char *wanted)
{
	br_autofree char *found = list(fixture, texts, false);

	assert_string_equal(found, wanted);
}

static void lists_what_the_globs_choose_in_order(void **state)
{
	static const char *const paths[] = { "pom.xml", "src/b.c", "src/a.c",
		"src/deep/c.c", "src.c", "target/x", NULL };
	static const char *const globs[] = { "pom.xml", "src/**", NULL };

	write_files(*state, paths);
	check_list(*state, globs, "pom.xml src/a.c src/b.c src/deep/c.c ");
}

static void lets_the_last_glob_that_matches_decide(void **state)
{
	static const char *const paths[] = { "src/a.c", "src/a.o",
		"src/gen/b.c", "src/gen/keep.c", NULL };
	static const char *const globs[] = { "src/", "!*.o", "!src/gen/",
		"src/gen/keep.c", NULL };

	write_files(*state, paths);
	check_list(*state, globs, "src/a.c src/gen/keep.c ");
}

static void leaves_out_git_and_what_has_no_content(void **state)
{
	static const char *const paths[] = { "a", ".git/config", "sub/.git",
		".buildr-restore-1/a", NULL };
	static const char *const globs[] = { "**", NULL };
	const struct fixture *fixture = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	write_files(fixture, paths);
	assert_int_equal(mkfifoat(fixture->root_fd, "fifo", 0600), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path),
		"/proc/self/fd/%d/socket", fixture->root_fd);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	check_list(fixture, globs, "a ");
}

static void lists_links_as_links_and_never_follows_one(void **state)
{
	static const char *const paths[] = { "real/a", NULL };
	static const char *const texts[] = { "**", NULL };
	const struct fixture *fixture = *state;
	br_auto(br_globs) struct br_globs *globs = take_globs(texts);
	br_autolisting struct br_listing listing = { 0 };
	struct br_err err = { 0 };

	write_files(fixture, paths);
	assert_int_equal(symlinkat("..", fixture->root_fd, "real/loop"), 0);
	assert_int_equal(symlinkat("/etc", fixture->root_fd, "out"), 0);
	assert_int_equal(symlinkat("gone", fixture->root_fd, "dangling"), 0);
	assert_true(br_listing_find(
		fixture->root_fd, globs, false, &listing, &err));
	assert_int_equal(listing.count, 4);
	assert_string_equal(listing.items[0].path, "dangling");
	assert_string_equal(listing.items[0].target, "gone");
	assert_string_equal(listing.items[1].path, "out");
	assert_string_equal(listing.items[1].target, "/etc");
	assert_int_equal(listing.items[1].kind, BR_LISTED_LINK);
	assert_string_equal(listing.items[3].path, "real/loop");
}

static void opens_no_folder_in_which_nothing_can_be_chosen(void **state)
{
	static const char *const paths[] = { "src/a.c", "other/x",
		"src/private/y", NULL };
	static const char *const pruned[] = { "src/*.c", "src/**/*.h",
		"!src/private/", NULL };
	const struct fixture *fixture = *state;

	write_files(fixture, paths);
	assert_int_equal(fchmodat(fixture->root_fd, "src", 0755, 0), 0);
	assert_int_equal(fchmodat(fixture->root_fd, "src/private", 0, 0), 0);
	assert_int_equal(fchmodat(fixture->root_fd, "other", 0, 0), 0);
	no_root_begin(fixture->root);
	check_list(fixture, pruned, "src/a.c ");
	no_root_end();
}

static void lists_empty_folders_where_that_is_asked_for(void **state)
{
	static const char *const globs[] = { "out/", NULL };
	static const char *const paths[] = { "out/a", NULL };
	const struct fixture *fixture = *state;

	write_files(fixture, paths);
	assert_int_equal(mkdirat(fixture->root_fd, "out/empty", 0750), 0);
	assert_int_equal(mkdirat(fixture->root_fd, "beside", 0750), 0);
	br_autofree char *found = list(fixture, globs, true);
	assert_string_equal(found, "out/a out/empty/ ");
	check_list(fixture, globs, "out/a ");
}

static void takes_names_of_any_bytes(void **state)
{
	static const char *const paths[] = { "\xff\xfe", "a\nb", "\xc3\xa9",
		NULL };
	static const char *const globs[] = { "*", NULL };

	write_files(*state, paths);
	check_list(*state, globs, "a\nb \xc3\xa9 \xff\xfe ");
}

static void says_which_folder_cannot_be_read(void **state)
{
	static const char *const paths[] = { "a/b/c", NULL };
	static const char *const texts[] = { "a/**", NULL };
	const struct fixture *fixture = *state;
	br_auto(br_globs) struct br_globs *globs = take_globs(texts);
	br_autolisting struct br_listing listing = { 0 };
	struct br_err err = { 0 };

	write_files(fixture, paths);
	assert_int_equal(fchmodat(fixture->root_fd, "a", 0755, 0), 0);
	assert_int_equal(fchmodat(fixture->root_fd, "a/b", 0, 0), 0);
	no_root_begin(fixture->root);
	assert_false(br_listing_find(
		fixture->root_fd, globs, false, &listing, &err));
	no_root_end();
	assert_string_equal(err.text, "open folder 'a/b': Permission denied");
}

static void says_which_glob_has_chosen_nothing(void **state)
{
	static const char *const paths[] = { "out/a", "log", NULL };
	static const char *const texts[] = { "!log", "out/", "out/a", "none/*",
		NULL };
	const struct fixture *fixture = *state;
	br_auto(br_globs) struct br_globs *globs = take_globs(texts);
	br_autolisting struct br_listing listing = { 0 };
	struct br_err err = { 0 };

	write_files(fixture, paths);
	assert_true(
		br_listing_find(fixture->root_fd, globs, true, &listing, &err));
	assert_string_equal(br_globs_find_unused(globs), "none/*");
}

static void refuses_a_glob_that_is_too_deep(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_globs *globs = NULL;
	struct br_err err = { 0 };

	(void)state;
	for (int i = 0; i < 61; i++)
		br_buf_add_text(&text, "a/");
	const char *const texts[] = { br_buf_text(&text) };
	assert_false(br_globs_new(texts, 1, &globs, &err));
	assert_int_equal(err.code, BR_EINPUT);
}

/* What base/glob.h says of a path, for each glob; the last that matches decides. */
static bool is_chosen(const char *const *texts, const char *path)
{
	bool is = false;

	for (size_t i = 0; texts[i]; i++) {
		bool takes_away = texts[i][0] == '!';

		if (br_glob_matches(texts[i] + takes_away, path))
			is = !takes_away;
	}
	return is;
}

static void pick_glob(unsigned *seed, char *glob, size_t size)
{
	static const char *const parts[] = { "a", "b", "*", "**", "?", "[ab]",
		"a*", "*b", "***", "\\a", "" };
	size_t count = (size_t)rand_r(seed) % 4 + 1;
	struct br_buf text = { 0 };

	if (rand_r(seed) % 4 == 0)
		br_buf_add_char(&text, '!');
	if (rand_r(seed) % 4 == 0)
		br_buf_add_char(&text, '/');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			br_buf_add_char(&text, '/');
		br_buf_add_text(&text,
			parts[(size_t)rand_r(seed) %
				(sizeof(parts) / sizeof(parts[0]))]);
	}
	if (rand_r(seed) % 4 == 0)
		br_buf_add_char(&text, '/');
	(void)snprintf(glob, size, "%s", br_buf_text(&text));
	br_buf_done(&text);
}

static void chooses_as_each_path_is_judged_alone(void **state)
{
	static const char *const paths[] = { "a", "ab/a", "ab/b", "b/a/a",
		"b/a/b", "b/b/a/b", "b/b/a/ab", "b/b/b/a/a", "aa/b/a", "bb",
		NULL };
	unsigned seed = 7;

	write_files(*state, paths);
	for (int round = 0; round < 5000; round++) {
		char globs[3][40];
		const char *texts[4] = { 0 };

		for (int i = 0; i <= rand_r(&seed) % 3; i++) {
			pick_glob(&seed, globs[i], sizeof(globs[i]));
			texts[i] = globs[i];
		}
		br_autofree char *found = list(*state, texts, false);
		for (size_t i = 0; paths[i]; i++) {
			br_autofree char *word = br_format("%s ", paths[i]);
			br_autofree char *in = br_format(" %s", found);
			br_autofree char *at = br_format(" %s", word);
			bool is_listed = strstr(in, at) != NULL;

			if (is_listed != is_chosen(texts, paths[i]))
				fail_msg("round %d: '%s' '%s' '%s': %s", round,
					texts[0], texts[1] ? texts[1] : "",
					texts[2] ? texts[2] : "", paths[i]);
		}
	}
}

static void opens_nothing_outside_of_a_folder(void **state)
{
	const struct fixture *fixture = *state;
	static const char *const outside[] = { "..", "/etc", "sub/../..",
		"link", "link/passwd", NULL };

	assert_int_equal(mkdirat(fixture->root_fd, "sub", 0700), 0);
	assert_int_equal(symlinkat("/etc", fixture->root_fd, "link"), 0);
	for (size_t i = 0; outside[i]; i++)
		assert_int_equal(
			br_beneath_open(fixture->root_fd, outside[i], O_RDONLY),
			-1);
}

static void knows_which_paths_may_be_written(void **state)
{
	static const char *const good[] = { "a", "a/b", "..a",
		"a..b/.gitignore", "a/...", NULL };
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "a/../b", "./a", "a/..", ".git", "sub/.git/hooks/x",
		NULL };

	(void)state;
	for (size_t i = 0; good[i]; i++)
		assert_true(br_beneath_is_safe(good[i]));
	for (size_t i = 0; bad[i]; i++)
		assert_false(br_beneath_is_safe(bad[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_what_the_globs_choose_in_order),
		TEST(lets_the_last_glob_that_matches_decide),
		TEST(leaves_out_git_and_what_has_no_content),
		TEST(lists_links_as_links_and_never_follows_one),
		TEST(opens_no_folder_in_which_nothing_can_be_chosen),
		TEST(lists_empty_folders_where_that_is_asked_for),
		TEST(takes_names_of_any_bytes),
		TEST(says_which_folder_cannot_be_read),
		TEST(says_which_glob_has_chosen_nothing),
		TEST(refuses_a_glob_that_is_too_deep),
		TEST(chooses_as_each_path_is_judged_alone),
		TEST(opens_nothing_outside_of_a_folder),
		TEST(knows_which_paths_may_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
