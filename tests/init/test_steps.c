/* SPDX-License-Identifier: MIT */
/* Steps of a stage, as manifest.md numbers their rules, by a real buildr-init. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"

static const struct peer_options plain = { 0 };

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Run shell steps in a fresh init, and compare everything that it tells. */
static void expect(const char *const *steps, const char *expected)
{
	struct peer peer;

	peer_open(&peer, &plain);
	peer_expect(&peer, steps, expected);
	peer_close(&peer);
}

static void runs_the_steps_of_a_stage_in_one_shell(void **state)
{
	(void)state;
	expect(STEPS("cd /tmp; x=1; f() { echo in f; }", "pwd; f", "echo $x"),
		"<1.1>1.1=0<1.2/tmp\nin f\n>1.2=0<1.31\n>1.3=0#1=0");
}

static void ends_a_stage_at_the_first_step_that_fails(void **state)
{
	(void)state;
	expect(STEPS("echo a", "false; echo no", "echo never"),
		"<1.1a\n>1.1=0<1.2>1.2=1#1=1");
	expect(STEPS("exit 3", "echo never"), "<1.1>1.1=3#1=3");
	expect(STEPS("set +e; false; echo on; (exit 4)", "echo never"),
		"<1.1on\n>1.1=4#1=4");
	expect(STEPS("exit 0", "echo never"), "<1.1>1.1=0#1=0");
}

static void keeps_the_two_streams_apart(void **state)
{
	(void)state;
	expect(STEPS("echo oh >&2", "echo hello"),
		"<1.1!oh\n>1.1=0<1.2hello\n>1.2=0#1=0");
}

static void fails_fast_inside_a_step_until_told_otherwise(void **state)
{
	(void)state;
	expect(STEPS("set +e; false; true", "f() { false; echo no; }; f"),
		"<1.1>1.1=0<1.2>1.2=1#1=1");
}

static void gives_a_step_to_the_shell_byte_for_byte(void **state)
{
	(void)state;
	expect(STEPS("printf %s 'a'\\''b\\\"$x'", "printf %s \"\xff\xfe\n\t\"",
		       "cat <<'E'\n$x `y` '\"\nE\n", "# nothing"),
		"<1.1a'b\\\"$x>1.1=0<1.2\xff\xfe\n\t>1.2=0"
		"<1.3$x `y` '\"\n>1.3=0<1.4>1.4=0#1=0");
}

static void runs_the_steps_before_one_with_a_syntax_error(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1, STEPS("echo good", "if (", "echo never"));
	peer_run_until_over(&peer, 1);
	assert_non_null(strstr(br_buf_text(&peer.log), "good\n>1.1=0<1.2!"));
	assert_int_equal(peer.report.step, 2);
	assert_int_not_equal(peer.report.status, 0);
	peer_close(&peer);
}

static void takes_a_script_that_is_too_long_for_an_argument(void **state)
{
	enum { LONG_BYTES = 300 * 1024 };
	br_autobuf struct br_buf step = { 0 };

	(void)state;
	br_buf_add_text(&step, "x=");
	while (step.len < LONG_BYTES)
		br_buf_add_char(&step, 'x');
	expect(STEPS("echo first", br_buf_text(&step),
		       "echo $0 ${#x}; test ! -e /proc/self/fd/8"),
		"<1.1first\n>1.1=0<1.2>1.2=0<1.3sh 307198\n>1.3=0#1=0");
}

static void runs_several_stages_at_once(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1, STEPS("mkfifo f; echo ready; read x <f; echo $x"));
	peer_run_until_seen(&peer, "ready");
	peer_start(&peer, 2, STEPS("echo hello >f; rm f"));
	peer_run_until_over(&peer, 2);
	assert_non_null(strstr(br_buf_text(&peer.log), "hello\n"));
	assert_non_null(strstr(br_buf_text(&peer.log), "#1=0"));
	assert_non_null(strstr(br_buf_text(&peer.log), "#2=0"));
	peer_close(&peer);
}

static void passes_a_stage_without_steps(void **state)
{
	(void)state;
	expect(STEPS(NULL), "#1=0");
}

/* Run steps of both forms, with FOO=bar in the environment. */
static void expect_mixed(const struct br_session_step *steps, size_t step_count,
	const char *expected)
{
	struct peer peer;

	peer_open(&peer, &plain);
	peer_start_stage(&peer, 1,
		(struct br_session_stage){ .steps = steps,
			.step_count = step_count,
			.environment = STEPS("FOO=bar", "PATH=/usr/bin:/bin"),
			.workdir = "/usr" });
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), expected);
	peer_close(&peer);
}

#define MIXED(steps, expected) \
	expect_mixed((steps), sizeof(steps) / sizeof((steps)[0]), (expected))

static void runs_exec_form_steps_in_their_place(void **state)
{
	const struct br_session_step steps[] = {
		{ .argv = STEPS("echo", "$FOO", "*") },
		{ .text = "cd /; FOO=changed; echo $FOO" },
		{ .argv = STEPS("pwd") },
		{ .argv = STEPS("printenv", "FOO") },
		{ .text = "echo $FOO; pwd" },
		{ .argv = STEPS("echo", "last") },
	};

	(void)state;
	MIXED(steps,
		"<1.1$FOO *\n>1.1=0<1.2changed\n>1.2=0<1.3/usr\n>1.3=0"
		"<1.4bar\n>1.4=0<1.5changed\n/\n>1.5=0<1.6last\n>1.6=0#1=0");
}

static void says_how_an_exec_form_step_failed(void **state)
{
	const struct br_session_step missing[] = {
		{ .argv = STEPS("no-such-program") }
	};
	const struct br_session_step folder[] = { { .argv = STEPS("/usr") } };
	const struct br_session_step killed[] = {
		{ .argv = STEPS("sh", "-c", "kill -9 $$") }
	};

	(void)state;
	MIXED(missing,
		"<1.1!buildr: no-such-program: not found\n>1.1=127#1=127");
	MIXED(folder, "<1.1!buildr: /usr: Permission denied\n>1.1=126#1=126");
	MIXED(killed, "<1.1>1.1=137#1=137");
}

static void ends_the_shell_when_an_exec_form_step_fails(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "trap 'echo bye' EXIT" },
		{ .argv = STEPS("false") },
		{ .text = "echo never" },
	};

	(void)state;
	MIXED(steps, "<1.1>1.1=0<1.2bye\n>1.2=1#1=1");
}

static void ends_a_stage_by_exit_0_before_an_exec_form_step(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "exit 0" },
		{ .argv = STEPS("echo", "never") },
	};

	(void)state;
	MIXED(steps, "<1.1>1.1=0#1=0");
}

static void names_what_keeps_a_stage_from_running(void **state)
{
	const struct br_session_step step = { .text = "echo never" };
	const struct br_session_stage stages[] = {
		{ .shell = STEPS("/no/shell") },
		{ .workdir = "/no/folder" },
		{ .user = "nobody-of-that-name" },
	};
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		struct br_session_stage stage = stages[i];

		stage.steps = &step;
		stage.step_count = 1;
		peer_start_stage(&peer, i + 1, stage);
		peer_run_until_over(&peer, i + 1);
	}
	assert_string_equal(br_buf_text(&peer.log),
		"#1=127(1: shell '/no/shell': No such file or directory)"
		"#2=126(3: workdir '/no/folder': No such file or directory)"
		"#3=126(2: user 'nobody-of-that-name': not in the image)");
	peer_close(&peer);
}

/* The shell's own background job keeps its stdout open until it is told to end. */
static void does_not_wait_for_a_background_process(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("mkfifo go done; "
		      "(read x <go; head -c 500000 /dev/zero; echo $? >done) &",
			"echo over"));
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1>1.1=0<1.2over\n>1.2=0#1=0");
	/* What it writes now is dropped: it neither blocks nor gets SIGPIPE. */
	peer_start(
		&peer, 2, STEPS("echo >go; read x <done; rm go done; exit $x"));
	peer_run_until_over(&peer, 2);
	assert_non_null(strstr(br_buf_text(&peer.log), "<2.1>2.1=0#2=0"));
	peer_close(&peer);
}

static void books_output_to_the_step_that_wrote_it(void **state)
{
	enum { ROUNDS = 20 };
	br_autobuf struct br_buf expected = { 0 };
	const char *steps[ROUNDS + 1] = { NULL };

	(void)state;
	for (int i = 1; i <= ROUNDS; i++) {
		steps[i - 1] = "echo out; seq 1 5000 | tail -n 1";
		br_buf_addf(&expected, "<1.%dout\n5000\n>1.%d=0", i, i);
	}
	br_buf_add_text(&expected, "#1=0");
	expect(steps, br_buf_text(&expected));
}

static void tells_what_a_step_used(void **state)
{
	enum { MEBIBYTE = 1024 * 1024 };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("head -c 100000000 /dev/zero | sha256sum >/dev/null"));
	peer_run_until_over(&peer, 1);
	assert_true(peer.report.cpu_us > 1000);
	assert_true(peer.report.wall_us >= 1000);
	assert_true(peer.report.max_rss_bytes > MEBIBYTE / 2);
	assert_false(peer.report.is_signal);
	assert_false(peer.report.is_oom);
	peer_start(&peer, 2, STEPS("kill -9 $$"));
	peer_run_until_over(&peer, 2);
	assert_true(peer.report.is_signal);
	peer_close(&peer);
}

static void hides_its_descriptors_from_the_steps(void **state)
{
	(void)state;
	expect(STEPS("ls /proc/self/fd",
		       "readlink /proc/1/fd/0 "
		       "2>/dev/null || echo closed"),
		"<1.10\n1\n2\n3\n>1.1=0<1.2closed\n>1.2=0#1=0");
}

static void works_over_stdin_and_stdout(void **state)
{
	const struct peer_options stdio = { .is_stdio = true };
	struct peer peer;

	(void)state;
	peer_open(&peer, &stdio);
	peer_expect(&peer, STEPS("echo hello; readlink /proc/self/fd/0"),
		"<1.1hello\n/dev/null\n>1.1=0#1=0");
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_the_steps_of_a_stage_in_one_shell),
		cmocka_unit_test(ends_a_stage_at_the_first_step_that_fails),
		cmocka_unit_test(keeps_the_two_streams_apart),
		cmocka_unit_test(fails_fast_inside_a_step_until_told_otherwise),
		cmocka_unit_test(gives_a_step_to_the_shell_byte_for_byte),
		cmocka_unit_test(runs_the_steps_before_one_with_a_syntax_error),
		cmocka_unit_test(
			takes_a_script_that_is_too_long_for_an_argument),
		cmocka_unit_test(runs_several_stages_at_once),
		cmocka_unit_test(passes_a_stage_without_steps),
		cmocka_unit_test(runs_exec_form_steps_in_their_place),
		cmocka_unit_test(says_how_an_exec_form_step_failed),
		cmocka_unit_test(ends_the_shell_when_an_exec_form_step_fails),
		cmocka_unit_test(
			ends_a_stage_by_exit_0_before_an_exec_form_step),
		cmocka_unit_test(names_what_keeps_a_stage_from_running),
		cmocka_unit_test(does_not_wait_for_a_background_process),
		cmocka_unit_test(books_output_to_the_step_that_wrote_it),
		cmocka_unit_test(tells_what_a_step_used),
		cmocka_unit_test(hides_its_descriptors_from_the_steps),
		cmocka_unit_test(works_over_stdin_and_stdout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
