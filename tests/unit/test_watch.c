/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tests/support/folder.h"
#include "watch/watch.h"

enum {
	/* The kernel keeps 16384 events unless told otherwise. */
	TOO_MANY = 20000,
	NOBODY = 65534,
};

/* A watched folder, and what was told: `+path`, `~path`, `-path`, `?path`. */
struct seen {
	char *top;
	struct br_watch *watch;
	struct br_buf news;
	struct br_buf shut;
};

static void ignore(
	void *ctx, const char *const *folders, size_t count, bool *is_ignored)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		is_ignored[i] = strstr(folders[i], "ignored/") != NULL;
}

/* The same twice in a row is once: how often a test touches a file is its own affair. */
static void tell(void *ctx, enum br_watch_news news, const char *path)
{
	static const char marks[] = "+~-?";
	struct seen *seen = ctx;
	br_autofree char *text = br_format("%c%s ", marks[news], path);
	size_t len = strlen(text);

	if (seen->news.len < len ||
		strcmp(seen->news.data + seen->news.len - len, text) != 0)
		br_buf_add_text(&seen->news, text);
}

static void cannot(void *ctx, const char *folder, int error)
{
	struct seen *seen = ctx;

	br_buf_addf(&seen->shut, "%s%s ", folder,
		error == EACCES ? "" : strerror(error));
}

static void begin(struct seen *seen)
{
	const struct br_watch_user user = { seen, ignore, tell, cannot };
	struct br_err err = { 0 };

	assert_true(br_watch_open(seen->top, &user, &seen->watch, &err));
}

static void write_to(struct seen *seen, const char *path)
{
	folder_write(seen->top, path, 0600, "text");
}

/* Make a folder, or move, or remove. */
static void make(struct seen *seen, const char *folder)
{
	br_autofree char *path = br_path_join(seen->top, folder);

	assert_int_equal(mkdir(path, 0700), 0);
}

static void move(struct seen *seen, const char *from, const char *to)
{
	br_autofree char *old = br_path_join(seen->top, from);
	br_autofree char *new = br_path_join(seen->top, to);

	assert_int_equal(rename(old, new), 0);
}

static void drop(struct seen *seen, const char *name)
{
	br_autofree char *path = br_path_join(seen->top, name);

	assert_int_equal(remove(path), 0);
}

static void change_mode(struct seen *seen, const char *name, mode_t mode)
{
	br_autofree char *path = br_path_join(seen->top, name);

	assert_int_equal(chmod(path, mode), 0);
}

static void expect(struct seen *seen, const char *news)
{
	struct br_err err = { 0 };

	assert_true(br_watch_read(seen->watch, &err));
	assert_string_equal(br_buf_text(&seen->news), news);
	br_buf_clear(&seen->news);
}

static int set_up(void **state)
{
	struct seen *seen = br_alloc(sizeof(*seen));

	seen->top = folder_make();
	*state = seen;
	return 0;
}

static int tear_down(void **state)
{
	struct seen *seen = *state;

	br_watch_free(seen->watch);
	folder_remove(seen->top);
	br_buf_done(&seen->news);
	br_buf_done(&seen->shut);
	free(seen);
	return 0;
}

static void tells_what_happens_to_a_file(void **state)
{
	struct seen *seen = *state;

	write_to(seen, "src/old");
	begin(seen);
	expect(seen, "");
	write_to(seen, "src/new");
	expect(seen, "+src/new ~src/new ");
	change_mode(seen, "src/old", 0700);
	expect(seen, "~src/old ");
	move(seen, "src/new", "src/newer");
	expect(seen, "-src/new +src/newer ");
	drop(seen, "src/newer");
	expect(seen, "-src/newer ");
}

static void tells_what_is_in_a_new_folder_before_it_is_watched(void **state)
{
	struct seen *seen = *state;

	begin(seen);
	make(seen, "a");
	write_to(seen, "a/b/c/deep");
	expect(seen, "+a/b/c/deep ");
	write_to(seen, "a/b/c/deeper");
	expect(seen, "+a/b/c/deeper ~a/b/c/deeper ");
}

static void follows_a_folder_to_its_new_name(void **state)
{
	struct seen *seen = *state;

	write_to(seen, "old/deep/file");
	begin(seen);
	move(seen, "old", "new");
	expect(seen, "?old/ +new/deep/file ");
	drop(seen, "new/deep/file");
	expect(seen, "-new/deep/file ");
	assert_int_equal(br_watch_folder_count(seen->watch), 3);
}

static void is_silent_of_a_folder_that_was_taken_away(void **state)
{
	struct seen *seen = *state;
	char *outside = folder_make();
	br_autofree char *from = br_path_join(seen->top, "away");
	br_autofree char *to = br_path_join(outside, "away");

	write_to(seen, "away/deep/file");
	begin(seen);
	assert_int_equal(rename(from, to), 0);
	expect(seen, "?away/ ");
	folder_write(outside, "away/deep/other", 0600, "text");
	expect(seen, "");
	assert_int_equal(br_watch_folder_count(seen->watch), 1);
	folder_remove(outside);
}

static void forgets_a_folder_that_is_gone(void **state)
{
	struct seen *seen = *state;

	write_to(seen, "a/b/file");
	begin(seen);
	drop(seen, "a/b/file");
	drop(seen, "a/b");
	drop(seen, "a");
	expect(seen, "-a/b/file ");
	assert_int_equal(br_watch_folder_count(seen->watch), 1);
	write_to(seen, "a/b/file");
	expect(seen, "+a/b/file ");
}

static void leaves_out_what_is_ignored_until_it_looks_again(void **state)
{
	struct seen *seen = *state;
	struct br_err err = { 0 };

	make(seen, "ignored");
	begin(seen);
	make(seen, "src");
	make(seen, "src/ignored");
	expect(seen, "");
	write_to(seen, "ignored/file");
	write_to(seen, "src/ignored/file");
	expect(seen, "");

	move(seen, "ignored", "wanted");
	expect(seen, "+wanted/file ");
	assert_true(br_watch_look_again(seen->watch, &err));
	expect(seen, "");
	assert_int_equal(br_watch_folder_count(seen->watch), 3);
}

static void does_not_follow_links(void **state)
{
	struct seen *seen = *state;
	br_autofree char *loop = br_path_join(seen->top, "loop");

	assert_int_equal(symlink(".", loop), 0);
	begin(seen);
	assert_int_equal(br_watch_folder_count(seen->watch), 1);
	drop(seen, "loop");
	assert_int_equal(symlink(".", loop), 0);
	expect(seen, "-loop +loop ");
}

static void watches_single_files_outside(void **state)
{
	struct seen *seen = *state;
	struct br_err err = { 0 };
	char *outside = folder_make();
	br_autofree char *file = br_path_join(outside, ".env");
	br_autofree char *news = br_format("+%s ~%s ", file, file);

	begin(seen);
	assert_true(br_watch_add_file(seen->watch, file, &err));
	folder_write(outside, ".env", 0600, "A=1");
	folder_write(outside, "other", 0600, "A=1");
	expect(seen, news);
	folder_remove(outside);
}

static void says_when_the_kernel_has_dropped_something(void **state)
{
	struct seen *seen = *state;
	struct br_err err = { 0 };

	write_to(seen, "a");
	write_to(seen, "b");
	begin(seen);
	for (int i = 0; i < TOO_MANY; i++)
		change_mode(seen, i % 2 ? "a" : "b", 0600);
	make(seen, "lost");
	assert_true(br_watch_read(seen->watch, &err));
	assert_non_null(strstr(br_buf_text(&seen->news), "? "));
	br_buf_clear(&seen->news);
	/* It has looked again, so that this folder is not lost. */
	write_to(seen, "lost/file");
	expect(seen, "+lost/file ~lost/file ");
}

static void fails_when_the_top_is_gone(void **state)
{
	struct seen *seen = *state;
	struct br_err err = { 0 };

	begin(seen);
	drop(seen, "");
	assert_false(br_watch_read(seen->watch, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(mkdir(seen->top, 0700), 0);
}

static void goes_on_without_a_folder_that_is_shut(void **state)
{
	struct seen *seen = *state;
	bool is_root = geteuid() == 0;

	make(seen, "shut");
	make(seen, "open");
	change_mode(seen, "", 0777);
	change_mode(seen, "open", 0777);
	change_mode(seen, "shut", 0);
	assert_true(!is_root || seteuid(NOBODY) == 0);
	if (access(seen->top, R_OK) == 0)
		begin(seen);
	assert_true(!is_root || seteuid(0) == 0);
	if (!seen->watch)
		skip();
	assert_string_equal(br_buf_text(&seen->shut), "shut/ ");
	write_to(seen, "open/file");
	expect(seen, "+open/file ~open/file ");
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCHED(tells_what_happens_to_a_file),
		WATCHED(tells_what_is_in_a_new_folder_before_it_is_watched),
		WATCHED(follows_a_folder_to_its_new_name),
		WATCHED(is_silent_of_a_folder_that_was_taken_away),
		WATCHED(forgets_a_folder_that_is_gone),
		WATCHED(leaves_out_what_is_ignored_until_it_looks_again),
		WATCHED(does_not_follow_links),
		WATCHED(watches_single_files_outside),
		WATCHED(says_when_the_kernel_has_dropped_something),
		WATCHED(fails_when_the_top_is_gone),
		WATCHED(goes_on_without_a_folder_that_is_shut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
