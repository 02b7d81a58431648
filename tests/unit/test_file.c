/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/support/folder.h"

enum { MAX_BYTES = 100 };

static void expect_refusal(const char *folder, const char *name,
	enum br_code code, const char *part)
{
	br_autofree char *path = br_path_join(folder, name);
	br_autobuf struct br_buf content = { 0 };
	struct br_err err = { 0 };

	assert_false(br_file_load(path, MAX_BYTES, &content, &err));
	assert_int_equal(err.code, code);
	if (!strstr(err.text, part) || !strstr(err.text, path))
		fail_msg("'%s' says nothing of '%s'", err.text, part);
	assert_int_equal(content.len, 0);
}

static void loads_what_is_a_file_of_a_good_size(void **state)
{
	char *folder = folder_make();
	br_autofree char *path = br_path_join(folder, "full");
	br_autobuf struct br_buf content = { 0 };
	char full[MAX_BYTES + 1];
	char over[MAX_BYTES + 2];
	struct br_err err = { 0 };

	(void)state;
	memset(full, 'x', sizeof(full) - 1);
	full[MAX_BYTES] = '\0';
	memset(over, 'x', sizeof(over) - 1);
	over[MAX_BYTES + 1] = '\0';
	folder_write(folder, "full", 0600, full);
	folder_write(folder, "over", 0600, over);
	br_buf_add_text(&content, "before ");
	assert_true(br_file_load(path, MAX_BYTES, &content, &err));
	assert_int_equal(content.len, strlen("before ") + MAX_BYTES);
	expect_refusal(folder, "over", BR_EINPUT, "is larger than 100 bytes");
	folder_remove(folder);
}

static void says_why_a_path_is_no_file_to_load(void **state)
{
	char *folder = folder_make();
	br_autofree char *pipe_path = br_path_join(folder, "pipe");
	br_autofree char *loop_path = br_path_join(folder, "loop");

	(void)state;
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_int_equal(symlink("loop", loop_path), 0);
	expect_refusal(folder, "none", BR_ENOTFOUND, "no file");
	expect_refusal(folder, "pipe/none", BR_ENOTFOUND, "no file");
	expect_refusal(folder, ".", BR_EINPUT, "is a directory");
	/* Nobody writes to it, and opening it does not wait. */
	expect_refusal(folder, "pipe", BR_EINPUT, "is not a regular file");
	expect_refusal(folder, "loop", BR_ESYSTEM, strerror(ELOOP));
	folder_remove(folder);
}

static void saves_a_new_file_with_its_mode_and_no_other(void **state)
{
	char *folder = folder_make();
	br_autofree char *path = br_path_join(folder, "new");
	br_autobuf struct br_buf content = { 0 };
	struct stat status = { 0 };
	struct br_err err = { 0 };

	(void)state;
	mode_t mask = umask(0077);
	bool is_saved = br_file_save_new(path, 0644, "text", 4, &err);
	(void)umask(mask);
	assert_true(is_saved);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_false(br_file_save_new(path, 0644, "other", 5, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_true(br_file_load(path, MAX_BYTES, &content, &err));
	assert_string_equal(br_buf_text(&content), "text");
	folder_remove(folder);
}

/* The child reads when the pipe has been full. */
static void waits_for_room_in_a_full_pipe(void **state)
{
	enum { LEN = 300 * 1024 };
	static char data[LEN];
	struct br_err err = { 0 };
	int status = -1;
	int ends[2];

	(void)state;
	memset(data, 'x', LEN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char piece[1024];
		size_t sum = 0;
		ssize_t n = 0;

		(void)close(ends[1]);
		while ((n = read(ends[0], piece, sizeof(piece))) > 0)
			sum += (size_t)n;
		_exit(sum == LEN ? 0 : 1);
	}
	(void)close(ends[0]);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_true(br_file_write(ends[1], data, LEN, &err));
	(void)close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void says_that_nobody_reads_what_it_writes(void **state)
{
	struct br_err err = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[0]);
	assert_false(br_file_write(ends[1], "x", 1, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_non_null(strstr(err.text, strerror(EPIPE)));
	(void)close(ends[1]);
}

static void joins_a_path_with_one_slash(void **state)
{
	static const char *const cases[][3] = {
		{ "a", "b", "a/b" },
		{ "a/", "b", "a/b" },
		{ "/", "b", "/b" },
		{ "", "b", "b" },
		{ "a", "/b", "/b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		br_autofree char *path = br_path_join(cases[i][0], cases[i][1]);

		assert_string_equal(path, cases[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_what_is_a_file_of_a_good_size),
		cmocka_unit_test(says_why_a_path_is_no_file_to_load),
		cmocka_unit_test(saves_a_new_file_with_its_mode_and_no_other),
		cmocka_unit_test(waits_for_room_in_a_full_pipe),
		cmocka_unit_test(says_that_nobody_reads_what_it_writes),
		cmocka_unit_test(joins_a_path_with_one_slash),
	};

	/* As the programs do. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
