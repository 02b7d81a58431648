/* SPDX-License-Identifier: MIT */
/*
 * The script of a stage, by the shells that there are. This end plays
 * buildr-init: it reads what is announced on descriptor 9, and answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "session/script.h"
#include "tests/support/folder.h"

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* How a shell is called, up to what stands before -c. */
static const char *const shells[][4] = {
	{ "/bin/dash", NULL },
	{ "/bin/bash", NULL },
	{ "/bin/bash", "--posix", NULL },
	{ "/bin/busybox", "sh", NULL },
};
enum { SHELLS = sizeof(shells) / sizeof(shells[0]), STEPS_MAX = 8 };

/* What a run gave: `1:out 2:more =0`, stderr apart. */
struct seen {
	struct br_buf text;
	struct br_buf errors;
};

static void run_shell(
	const char *const *shell, const char *script, int control, int output)
{
	const char *args[8] = { NULL };
	size_t count = 0;

	while (shell[count]) {
		args[count] = shell[count];
		count++;
	}
	args[count++] = "-c";
	args[count++] = script;
	args[count] = "sh";
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(control, 9) < 0)
		_exit(99);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	char *const *call = (char *const *)(uintptr_t)args;
	(void)execv(args[0], call);
	_exit(98);
}

/* The shell's output so far, from the file that it writes to. */
static void add_output(const char *path, size_t *seen_len, struct br_buf *text)
{
	enum { MAX_BYTES = 1024 * 1024 };
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, MAX_BYTES, &output, &err))
		fail_msg("%s", err.text);
	if (output.len > *seen_len)
		br_buf_add(
			text, output.data + *seen_len, output.len - *seen_len);
	*seen_len = output.len;
}

/* Read announcements, and answer each, until the shell closes its end. */
static void serve(int control, const char *path, struct br_buf *text)
{
	size_t seen_len = 0;
	char byte;

	while (read(control, &byte, 1) == 1) {
		if (byte != '\n') {
			add_output(path, &seen_len, text);
			br_buf_add_char(text, byte);
			continue;
		}
		br_buf_add_char(text, ':');
		assert_int_equal(send(control, "\n", 1, MSG_NOSIGNAL), 1);
	}
	add_output(path, &seen_len, text);
}

static void run(
	const char *const *shell, const char *const *steps, struct br_buf *text)
{
	struct br_session_step list[STEPS_MAX] = { { 0 } };
	br_autobuf struct br_buf script = { 0 };
	char *folder = folder_make();
	br_autofree char *path = br_path_join(folder, "output");
	size_t count = 0;
	int ends[2];
	int status = 0;

	while (steps[count]) {
		list[count].text = steps[count];
		count++;
	}
	br_script_build(list, count, shell[0], &script);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	int output =
		open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	assert_true(output >= 0);
	pid_t pid = fork();
	if (pid == 0)
		run_shell(shell, br_buf_text(&script), ends[1], output);
	(void)close(ends[1]);
	(void)close(output);
	serve(ends[0], path, text);
	(void)close(ends[0]);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	br_buf_addf(text, "=%d",
		WIFEXITED(status) ? WEXITSTATUS(status)
				  : 128 + WTERMSIG(status));
	folder_remove(folder);
}

/* Every shell gives the same. */
static void expect(const char *const *steps, const char *expected)
{
	for (size_t i = 0; i < SHELLS; i++) {
		br_autobuf struct br_buf text = { 0 };

		run(shells[i], steps, &text);
		if (strcmp(br_buf_text(&text), expected) != 0)
			fail_msg("%s %s: \"%s\" instead of \"%s\"",
				shells[i][0], shells[i][1] ? shells[i][1] : "",
				br_buf_text(&text), expected);
	}
}

static void announces_each_step_before_its_output(void **state)
{
	(void)state;
	expect(STEPS("echo a", "echo b", "echo c"), "1:a\n2:b\n3:c\n=0");
}

static void carries_state_from_step_to_step(void **state)
{
	(void)state;
	expect(STEPS("x=1; export y=2; f() { echo f$x; }; cd /; umask 027",
		       "f; pwd; umask; set -- a b", "echo $# $2"),
		"1:2:f1\n/\n0027\n3:2 b\n=0");
}

static void ends_where_a_step_fails(void **state)
{
	(void)state;
	expect(STEPS("echo a; false; echo no", "echo never"), "1:a\n=1");
	expect(STEPS("exit 3", "echo never"), "1:=3");
	expect(STEPS("set +e; false; echo on; (exit 5)", "echo never"),
		"1:on\n=5");
	expect(STEPS("set +e; false; true", "false; echo no"), "1:2:=1");
	expect(STEPS("f() { false; echo no; }; f"), "1:=1");
	expect(STEPS("if false; then :; fi; false || echo on"), "1:on\n=0");
	expect(STEPS("kill -9 $$", "echo never"), "1:=137");
}

static void is_not_deceived_by_what_a_step_redefines(void **state)
{
	(void)state;
	expect(STEPS("echo() { :; }; read() { :; }; test() { :; }",
		       "printf 'a\\n'",
		       "alias echo=false read=false eval=false exit=false",
		       "printf 'b\\n'"),
		"1:2:a\n3:4:b\n=0");
	expect(STEPS("set -u; IFS=0123456789; set -f", "printf 'a\\n'",
		       "set +e; (exit 12)"),
		"1:2:a\n3:=12");
}

static void leaves_the_steps_output_alone(void **state)
{
	(void)state;
	/* Where stdout goes afterwards is the step's own business. */
	expect(STEPS("echo a; exec >/dev/null", "echo hidden"), "1:a\n2:=0");
	expect(STEPS("trap 'echo bye' EXIT", "echo a"), "1:2:a\nbye\n=0");
	expect(STEPS("trap 'echo bye' EXIT; false"), "1:bye\n=1");
}

/* busybox 1.35 runs for ever in it after `command eval`. */
static void ends_a_subshell_whose_redirection_fails(void **state)
{
	(void)state;
	expect(STEPS("set +e; (: </nonexistent/file) 2>/dev/null; echo on"),
		"1:on\n=0");
}

static void keeps_descriptor_9_from_the_steps(void **state)
{
	(void)state;
	expect(STEPS("set +e; (echo 2 >&9) 2>/dev/null; true", "echo b"),
		"1:2:b\n=0");
}

/* A background process that holds everything it has been given. */
static void is_not_held_up_by_a_background_process(void **state)
{
	(void)state;
	expect(STEPS("sleep 100 & p=$!", "echo b; kill $p"), "1:2:b\n=0");
}

static void gives_a_step_byte_for_byte(void **state)
{
	(void)state;
	expect(STEPS("printf '%s|' \"it's\" 'a\"b' '\\n' '$x' '`y`'",
		       "cat <<'E'\n'\\''\n\tE\n\xff\xfe\nE\n", "#", "",
		       "printf a \\\n b"),
		"1:it's|a\"b|\\n|$x|`y`|2:'\\''\n\tE\n\xff\xfe\n3:4:5:a=0");
}

static void runs_the_steps_before_a_syntax_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHELLS; i++) {
		br_autobuf struct br_buf text = { 0 };

		run(shells[i], STEPS("echo a", "if (; fi", "echo never"),
			&text);
		assert_int_equal(strncmp(br_buf_text(&text), "1:a\n2:=", 7), 0);
		assert_string_not_equal(br_buf_text(&text), "1:a\n2:=0");
	}
}

static void says_its_end_only_for_a_step_behind_the_shell(void **state)
{
	const struct br_session_step steps[] = {
		{ .argv = STEPS("a") },
		{ .text = "echo $((1" },
		{ .argv = STEPS("b") },
		{ .text = "x" },
		{ .argv = STEPS("c") },
	};
	br_autobuf struct br_buf all = { 0 };
	br_autobuf struct br_buf four = { 0 };

	(void)state;
	br_script_build(steps, 5, "sh", &all);
	br_script_build(steps, 4, "sh", &four);
	assert_non_null(strstr(br_buf_text(&all), "echo 2 >&9"));
	assert_non_null(strstr(br_buf_text(&all), "echo 4 >&9"));
	assert_null(strstr(br_buf_text(&all), "echo 3 >&9"));
	assert_non_null(strstr(br_buf_text(&all), "echo 0 >&9"));
	assert_null(strstr(br_buf_text(&four), "echo 0 >&9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announces_each_step_before_its_output),
		cmocka_unit_test(carries_state_from_step_to_step),
		cmocka_unit_test(ends_where_a_step_fails),
		cmocka_unit_test(is_not_deceived_by_what_a_step_redefines),
		cmocka_unit_test(leaves_the_steps_output_alone),
		cmocka_unit_test(ends_a_subshell_whose_redirection_fails),
		cmocka_unit_test(keeps_descriptor_9_from_the_steps),
		cmocka_unit_test(is_not_held_up_by_a_background_process),
		cmocka_unit_test(gives_a_step_byte_for_byte),
		cmocka_unit_test(runs_the_steps_before_a_syntax_error),
		cmocka_unit_test(says_its_end_only_for_a_step_behind_the_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
