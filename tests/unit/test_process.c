/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/process.h"

enum { PATIENCE_MS = 60 * 1000, OUTPUT_MAX_BYTES = 1000 };

static bool run_shell(const char *script, const char *input, int64_t timeout_ms,
	struct br_buf *output, int *status, struct br_err *err)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct br_process_result result = { 0 };
	bool is_good = br_process_run(argv, input, timeout_ms, OUTPUT_MAX_BYTES,
		output, &result, err);

	*status = result.status;
	return is_good;
}

static void runs_a_program_with_input_and_output(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = 0;

	(void)state;
	assert_true(run_shell("echo lost >&2; tr a-z A-Z; exit 7", "hello",
		PATIENCE_MS, &output, &status, &err));
	assert_string_equal(br_buf_text(&output), "HELLO");
	assert_int_equal(status, 7);
	assert_true(run_shell(
		"kill -9 $$", "", PATIENCE_MS, &output, &status, &err));
	assert_int_equal(status, 128 + SIGKILL);
}

static void says_127_of_a_program_that_is_not_there(void **state)
{
	static const char *const argv[] = { "/nonexistent/x", NULL };
	br_autobuf struct br_buf output = { 0 };
	struct br_process_result result = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_process_run(argv, "", PATIENCE_MS, OUTPUT_MAX_BYTES,
		&output, &result, &err));
	assert_int_equal(result.status, 127);
}

static void gives_the_program_its_sigpipe_back(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = 0;

	(void)state;
	/* A shell that ignores it would go on and exit with 0. */
	assert_true(run_shell("kill -PIPE $$; exit 0", "", PATIENCE_MS, &output,
		&status, &err));
	assert_int_equal(status, 128 + SIGPIPE);
}

static void ends_a_program_that_does_not_end(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = 0;

	(void)state;
	assert_false(
		run_shell("exec sleep 3600", "", 100, &output, &status, &err));
	assert_int_equal(err.code, BR_ETIMEDOUT);
	/* Also one that has nothing to say any more. */
	err = (struct br_err){ 0 };
	assert_false(run_shell(
		"exec >&-; exec sleep 3600", "", 100, &output, &status, &err));
	assert_int_equal(err.code, BR_ETIMEDOUT);
	/* Neither is left, not even as a zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void ends_a_program_that_says_too_much(void **state)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	int status = 0;

	(void)state;
	assert_false(
		run_shell("exec yes", "", PATIENCE_MS, &output, &status, &err));
	assert_int_equal(err.code, BR_EPROTO);
}

static void a_process_is_gone_when_its_start_is_another(void **state)
{
	struct br_process_id self = { 0 };
	struct br_process_id parsed = { 0 };
	char text[BR_PROCESS_ID_TEXT_BYTES];
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_process_self(&self, &err));
	br_process_id_format(&self, text);
	assert_true(br_process_id_parse(text, &parsed, &err));
	assert_false(br_process_is_gone(&parsed, &self));
	parsed.start_ticks++;
	assert_true(br_process_is_gone(&parsed, &self));
	/* Another boot, another namespace: not ours to judge. */
	parsed.boot[0] = (char)(parsed.boot[0] == 'x' ? 'y' : 'x');
	assert_false(br_process_is_gone(&parsed, &self));
	parsed = self;
	parsed.start_ticks++;
	parsed.pid_namespace++;
	assert_false(br_process_is_gone(&parsed, &self));
}

static void reads_a_process_only_as_it_was_written(void **state)
{
	static const char *const bad[] = { "", "b", "b/1/2", "b/1/2/3/4",
		"b/1/2/3 ", " b/1/2/3/", "b/ 1/2/3", "b/1/+2/3", "b/1/2/03",
		"b/1/-2/3", "b/1/0/3", "b/-1/2/3", "/1/2/3",
		"b/18446744073709551616/2/3",
		"0123456789012345678901234567890123456/1/2/3" };
	struct br_process_id id = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_process_id_parse("b/1/2/3", &id, &err));
	assert_string_equal(id.boot, "b");
	assert_int_equal(id.pid_namespace, 1);
	assert_int_equal(id.pid, 2);
	assert_int_equal(id.start_ticks, 3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (br_process_id_parse(bad[i], &id, &err))
			fail_msg("'%s' is a process", bad[i]);
}

static void a_process_that_nobody_has_waited_for_is_gone(void **state)
{
	struct br_process_id self = { 0 };
	struct br_process_id child = { 0 };
	struct br_err err = { 0 };
	siginfo_t info;
	int from[2];

	(void)state;
	assert_true(br_process_self(&self, &err));
	assert_int_equal(pipe(from), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (br_process_self(&child, &err))
			(void)!write(from[1], &child, sizeof(child));
		_exit(0);
	}
	assert_int_equal(read(from[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(br_process_is_gone(&child, &self));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(br_process_is_gone(&child, &self));
	(void)close(from[0]);
	(void)close(from[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_a_program_with_input_and_output),
		cmocka_unit_test(says_127_of_a_program_that_is_not_there),
		cmocka_unit_test(gives_the_program_its_sigpipe_back),
		cmocka_unit_test(ends_a_program_that_does_not_end),
		cmocka_unit_test(ends_a_program_that_says_too_much),
		cmocka_unit_test(a_process_is_gone_when_its_start_is_another),
		cmocka_unit_test(reads_a_process_only_as_it_was_written),
		cmocka_unit_test(a_process_that_nobody_has_waited_for_is_gone),
	};

	/* As the programs do. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
