/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/program.h"
#include "tests/support/folder.h"

enum { PATIENCE_MS = 60 * 1000, OUTPUT_MAX_BYTES = 1000 };

static const struct br_process_limits patient = {
	.timeout_ms = PATIENCE_MS,
	.max_bytes = OUTPUT_MAX_BYTES,
	.cancel_fd = -1,
};

#define SHELL(script) \
	(const char *const[]) \
	{ \
		"sh", "-c", script, NULL \
	}

static void gives_a_program_its_environment_and_folder(void **state)
{
	static const char *const environment[] = { "A=1 2", NULL };
	const struct br_program program = {
		.argv = SHELL("pwd; echo \"$A$HOME\"; cat"),
		.folder = "/",
		.input = "in",
	};
	struct br_process_limits limits = patient;
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = -1;

	(void)state;
	limits.environment = environment;
	assert_true(br_program_run(&program, &limits, &output, &status, &err));
	assert_string_equal(br_buf_text(&output), "/\n1 2\nin");
	assert_int_equal(status, 0);
}

static void keeps_the_end_of_what_a_program_complains(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	br_autobuf struct br_buf errors = { 0 };
	const struct br_program program = {
		.argv = SHELL(
			"yes | head -n 100000 >&2; echo last >&2; exit 3"),
		.errors = &errors,
	};
	struct br_err err = { 0 };
	int status = -1;

	(void)state;
	assert_true(br_program_run(&program, &patient, &output, &status, &err));
	assert_int_equal(status, 3);
	assert_int_equal(output.len, 0);
	assert_true(errors.len < 65536);
	assert_string_equal(errors.data + errors.len - 7, "y\nlast\n");
}

/* Wait until nobody holds the other end of a pipe. */
static void await_close(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
}

/* A program leaves a child that holds its output and, through `held`, a pipe. */
static void leave_a_child(const char *script, int64_t timeout_ms, bool is_good)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_process_limits limits = patient;
	struct br_err err = { 0 };
	int status = -1;
	int held[2];

	assert_int_equal(pipe(held), 0);
	(void)fcntl(held[0], F_SETFD, FD_CLOEXEC);

	const struct br_program program = {
		.argv = SHELL(script),
		.has_session = true,
	};
	limits.timeout_ms = timeout_ms;
	assert_int_equal(
		br_program_run(&program, &limits, &output, &status, &err),
		is_good);
	assert_int_equal(err.code, is_good ? BR_OK : BR_ETIMEDOUT);
	assert_string_equal(br_buf_text(&output), "out\n");
	(void)close(held[1]);
	await_close(held[0]);
	(void)close(held[0]);
}

static void ends_the_children_of_a_program_with_it(void **state)
{
	(void)state;
	leave_a_child("sleep 3600 & echo out", PATIENCE_MS, true);
	leave_a_child("echo out; sleep 3600 & wait", 500, false);
}

static void a_program_with_a_session_has_no_terminal(void **state)
{
	const struct br_program program = {
		.argv = SHELL("ps -o sid= -p $$ | tr -d ' '; echo $$"),
		.has_session = true,
	};
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = -1;

	(void)state;
	assert_true(br_program_run(&program, &patient, &output, &status, &err));
	char *second = strchr(br_buf_text(&output), '\n');
	assert_non_null(second);
	*second++ = '\0';
	second[strcspn(second, "\n")] = '\0';
	assert_string_equal(output.data, second);
}

static void does_not_wait_past_the_time_for_one_that_keeps_talking(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	br_autobuf struct br_buf errors = { 0 };
	const struct br_program program = {
		.argv = SHELL("exec yes >&2"),
		.errors = &errors,
	};
	struct br_process_limits limits = patient;
	struct br_err err = { 0 };
	int status = -1;

	(void)state;
	limits.timeout_ms = 100;
	assert_false(br_program_run(&program, &limits, &output, &status, &err));
	assert_int_equal(err.code, BR_ETIMEDOUT);
}

static void stops_a_program_on_request(void **state)
{
	const struct br_program program = { .argv = SHELL("exec sleep 3600") };
	br_autobuf struct br_buf output = { 0 };
	struct br_process_limits limits = patient;
	struct br_err err = { 0 };
	int status = -1;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[1]);
	limits.cancel_fd = ends[0];
	assert_false(br_program_run(&program, &limits, &output, &status, &err));
	assert_int_equal(err.code, BR_ECANCELED);
	(void)close(ends[0]);
}

static void limits_the_size_of_files(void **state)
{
	char *folder = folder_make();
	br_autobuf struct br_buf errors = { 0 };
	const struct br_program program = {
		/* Input comes when the limit is set, for children as well. */
		.argv = SHELL(
			"read x; dd if=/dev/zero of=big bs=4096 count=20"),
		.input = "go\n",
		.folder = folder,
		.errors = &errors,
	};
	br_autobuf struct br_buf output = { 0 };
	struct br_process_limits limits = patient;
	struct br_err err = { 0 };
	int status = -1;

	(void)state;
	limits.max_file_bytes = 50000;
	assert_true(br_program_run(&program, &limits, &output, &status, &err));
	assert_int_equal(status, 1);
	assert_non_null(strstr(br_buf_text(&errors), "File too large"));
	folder_remove(folder);
}

static void tells_a_watcher_which_process_it_is(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = -1;
	pid_t pid = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	const struct br_program program = {
		.argv = SHELL("printf $$"),
		.has_watcher = true,
		.watcher_fd = ends[1],
	};
	assert_true(br_program_run(&program, &patient, &output, &status, &err));
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	br_autofree char *text = br_format("%d", (int)pid);
	assert_string_equal(br_buf_text(&output), text);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* More than a pipe holds, which a program that talks while it reads would stop at. */
static void gives_a_program_input_of_any_length_and_bytes(void **state)
{
	enum { LONG_BYTES = 1024 * 1024 };
	br_autofree char *input = br_alloc(LONG_BYTES);
	const struct br_program program = {
		.argv = SHELL("exec cat"),
		.input = input,
		.input_len = LONG_BYTES,
	};
	struct br_process_limits limits = patient;
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = -1;

	(void)state;
	memset(input + 1, 'x', LONG_BYTES - 1);
	limits.max_bytes = LONG_BYTES;
	assert_true(br_program_run(&program, &limits, &output, &status, &err));
	assert_int_equal(status, 0);
	assert_int_equal(output.len, LONG_BYTES);
	assert_memory_equal(output.data, input, LONG_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_program_its_environment_and_folder),
		cmocka_unit_test(keeps_the_end_of_what_a_program_complains),
		cmocka_unit_test(ends_the_children_of_a_program_with_it),
		cmocka_unit_test(a_program_with_a_session_has_no_terminal),
		cmocka_unit_test(
			does_not_wait_past_the_time_for_one_that_keeps_talking),
		cmocka_unit_test(stops_a_program_on_request),
		cmocka_unit_test(limits_the_size_of_files),
		cmocka_unit_test(tells_a_watcher_which_process_it_is),
		cmocka_unit_test(gives_a_program_input_of_any_length_and_bytes),
	};

	/* As the programs do. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
