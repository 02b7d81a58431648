/* SPDX-License-Identifier: MIT */
/* Stages whose steps have a terminal, by a real buildr-init. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "peer.h"
#include "tests/support/folder.h"

static const struct peer_options plain = { 0 };

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Say what is there, if it is a terminal in every way, as one line. */
#define LOOK \
	"test -t 0 && test -t 1 && test -t 2 && : <>/dev/tty && " \
	"echo $(stty size) $TERM"

static void start(struct peer *peer, unsigned stage,
	const struct br_session_step *steps, size_t step_count)
{
	peer_start_stage(peer, stage,
		(struct br_session_stage){ .steps = steps,
			.step_count = step_count,
			.has_tty = true });
}

/* Run steps with a terminal, and compare everything that is told. */
static void expect(const struct br_session_step *steps, size_t step_count,
	const char *expected)
{
	struct peer peer;

	peer_open(&peer, &plain);
	start(&peer, 1, steps, step_count);
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), expected);
	peer_close(&peer);
}

#define EXPECT(steps, expected) \
	expect((steps), sizeof(steps) / sizeof((steps)[0]), (expected))

static void gives_a_terminal_to_steps_of_both_forms(void **state)
{
	const struct br_session_step steps[] = {
		{ .argv = STEPS("sh", "-c", LOOK) },
		{ .text = LOOK },
		{ .argv = STEPS("sh", "-c", LOOK) },
		{ .argv = STEPS("sh", "-c", LOOK) },
		{ .text = "TERM=other; " LOOK },
	};

	(void)state;
	assert_int_equal(unsetenv("TERM"), 0);
	EXPECT(steps,
		"<1.124 80 xterm\r\n>1.1=0<1.224 80 xterm\r\n>1.2=0"
		"<1.324 80 xterm\r\n>1.3=0<1.424 80 xterm\r\n>1.4=0"
		"<1.524 80 other\r\n>1.5=0#1=0");
}

static void keeps_a_kind_of_terminal_that_is_set(void **state)
{
	const struct br_session_step step = { .text = "echo $TERM" };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start_stage(&peer, 1,
		(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.environment = STEPS("TERM=vt100"),
			.has_tty = true });
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), "<1.1vt100\r\n>1.1=0#1=0");
	peer_close(&peer);
}

static void mixes_both_streams_in_the_order_of_writing(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "echo a; echo b >&2; echo c; printf d >/dev/stderr" },
		{ .argv = STEPS("no-such-program") },
	};

	(void)state;
	EXPECT(steps,
		"<1.1a\r\nb\r\nc\r\nd>1.1=0"
		"<1.2buildr: no-such-program: not found\r\n>1.2=127#1=127");
}

static void lets_every_read_see_the_end_of_the_input(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "cat; cat; read x || echo no; cat </dev/tty" },
		{ .argv = STEPS("cat") },
		{ .argv = STEPS("sh", "-c", "cat; cat; echo done") },
		/*
		 * Who waits for single keys gets that of the end; of the one
		 * that was typed before the kernel has made a zero.
		 */
		{ .text = "stty -icanon -echo; "
			  "head -c 2 | tail -c 1 | od -An -tu1" },
	};

	(void)state;
	EXPECT(steps,
		"<1.1no\r\n>1.1=0<1.2>1.2=0<1.3done\r\n>1.3=0<1.4   4\r\n"
		">1.4=0#1=0");
}

static void books_output_of_a_terminal_to_the_step_that_wrote_it(void **state)
{
	enum { ROUNDS = 20 };
	static const char *const seq[] = { "seq", "1", "4000", NULL };
	struct br_session_step steps[ROUNDS] = { { 0 } };
	br_autobuf struct br_buf expected = { 0 };

	(void)state;
	for (int i = 1; i <= ROUNDS; i++) {
		/* More than the kernel keeps, by a shell and by programs. */
		if (i % 2 == 0)
			steps[i - 1].text = "seq 1 4000";
		else
			steps[i - 1].argv = seq;
		br_buf_addf(&expected, "<1.%d", i);
		for (int line = 1; line <= 4000; line++)
			br_buf_addf(&expected, "%d\r\n", line);
		br_buf_addf(&expected, ">1.%d=0", i);
	}
	br_buf_add_text(&expected, "#1=0");
	EXPECT(steps, br_buf_text(&expected));
}

static void passes_10_mebibytes_through_a_terminal(void **state)
{
	enum { MEBIBYTE = 1024 * 1024, COUNT = 10 };
	br_autobuf struct br_buf content = { 0 };
	const struct br_session_step step = {
		.text = "stty -opost; i=0; while [ $i -lt 10 ]; do "
			"cat bytes; i=$((i+1)); done"
	};
	br_autofree char *path = NULL;
	struct br_err err = { 0 };
	struct peer peer;

	(void)state;
	for (int i = 0; i < MEBIBYTE; i++)
		br_buf_add_char(&content, (char)i);
	peer_open(&peer, &plain);
	path = br_path_join(peer.folder, "bytes");
	if (!br_file_save_new(path, 0644, content.data, content.len, &err))
		fail_msg("%s", err.text);
	peer.is_counting = true;
	start(&peer, 1, &step, 1);
	peer_run_until_over(&peer, 1);
	assert_int_equal(peer.output_bytes, COUNT * MEBIBYTE);
	assert_int_equal(peer.wrong_bytes, 0);
	assert_in_range(peer_init_peak_kib(&peer), 1, INIT_MAX_KIB);
	peer_close(&peer);
}

static void leaves_a_background_process_alone_when_a_terminal_goes(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "mkfifo go1 done1 go2 done2; "
			  "(read x <go1; seq 1 10000; echo $? >done1) &" },
		{ .argv = STEPS("sh", "-c",
			  "(read x <go2; seq 1 10000; echo $? >done2) &") },
		{ .text = "echo over" },
	};
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, 1, steps, 3);
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log),
		"<1.1>1.1=0<1.2>1.2=0<1.3over\r\n>1.3=0#1=0");
	peer_start(&peer, 2,
		STEPS("echo >go1; read x <done1; echo >go2; read y <done2; "
		      "rm go1 done1 go2 done2; exit $x$y"));
	peer_run_until_over(&peer, 2);
	assert_non_null(strstr(br_buf_text(&peer.log), "<2.1>2.1=0#2=0"));
	peer_close(&peer);
}

static void stops_a_stage_with_a_terminal(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "trap 'echo told' TERM; sleep 54321 & "
			  "echo ready; while :; do :; done" },
	};
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, 1, steps, 1);
	peer_run_until_seen(&peer, "ready");
	br_session_stop(peer.session, 1, PEER_PATIENCE_MS);
	peer_run_until_seen(&peer, "told");
	br_session_stop(peer.session, 1, 0);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1ready\r\ntold\r\n>1.1=137#1=137");
	peer_close(&peer);
}

static void stops_a_step_that_fills_a_terminal_without_end(void **state)
{
	enum { MUCH_BYTES = 1024 * 1024 };
	const struct br_session_step step = { .argv = STEPS("yes") };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer.is_counting = true;
	start(&peer, 1, &step, 1);
	while (peer.output_bytes < MUCH_BYTES)
		peer_work(&peer);
	br_session_stop(peer.session, 1, 0);
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), "<1.1>1.1=137#1=137");
	assert_in_range(peer_init_peak_kib(&peer), 1, INIT_MAX_KIB);
	peer_close(&peer);
}

/* The output is theirs, so that they may open it by its name. */
static void lets_a_user_open_the_output_of_its_steps(void **state)
{
	const struct br_session_step step = {
		.text = "echo out >/dev/stdout; echo err >/dev/stderr"
	};
	struct br_session_stage stage = { .steps = &step,
		.step_count = 1,
		.workdir = "/",
		.user = "54321:54322" };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start_stage(&peer, 1, stage);
	peer_run_until_over(&peer, 1);
	stage.has_tty = true;
	peer_start_stage(&peer, 2, stage);
	peer_run_until_over(&peer, 2);
	assert_string_equal(br_buf_text(&peer.log),
		"<1.1out\n!err\n>1.1=0#1=0<2.1out\r\nerr\r\n>2.1=0#2=0");
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_terminal_to_steps_of_both_forms),
		cmocka_unit_test(keeps_a_kind_of_terminal_that_is_set),
		cmocka_unit_test(mixes_both_streams_in_the_order_of_writing),
		cmocka_unit_test(lets_every_read_see_the_end_of_the_input),
		cmocka_unit_test(
			books_output_of_a_terminal_to_the_step_that_wrote_it),
		cmocka_unit_test(passes_10_mebibytes_through_a_terminal),
		cmocka_unit_test(
			leaves_a_background_process_alone_when_a_terminal_goes),
		cmocka_unit_test(stops_a_stage_with_a_terminal),
		cmocka_unit_test(
			stops_a_step_that_fills_a_terminal_without_end),
		cmocka_unit_test(lets_a_user_open_the_output_of_its_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
