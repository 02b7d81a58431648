/* SPDX-License-Identifier: MIT */
/* Stages that somebody types to, and an init that stays, by a real buildr-init. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static const struct peer_options plain = { 0 };

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void start(struct peer *peer, const char *const *argv, bool has_tty)
{
	const struct br_session_step step = { .argv = argv };

	peer_start_stage(peer, 1,
		(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.environment = WORDS("PS1=$ ", "ENV=", "HISTFILE="),
			.has_tty = has_tty,
			.has_input = true,
			.columns = 101,
			.rows = 33 });
}

static void type(struct peer *peer, const char *text)
{
	br_session_input(peer->session, 1, text, strlen(text));
}

static void runs_what_is_typed_in_a_terminal_of_the_size_that_it_is(
	void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, WORDS("sh"), true);
	type(&peer, "stty size\n");
	peer_run_until_seen(&peer, "33 101\r\n");
	br_session_resize(peer.session, 1, 132, 50);
	type(&peer, "stty size; exit 7\n");
	peer_run_until_over(&peer, 1);
	assert_non_null(strstr(br_buf_text(&peer.log), "50 132\r\n"));
	assert_non_null(strstr(br_buf_text(&peer.log), ">1.1=7#1=7"));
	peer_close(&peer);
}

static void tells_the_one_in_front_that_the_size_has_changed(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer,
		WORDS("sh", "-c",
			"trap 'stty size; exit 0' WINCH; echo set; "
			"while :; do sleep 0.01; done"),
		true);
	peer_run_until_seen(&peer, "set\r\n");
	br_session_resize(peer.session, 1, 70, 20);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1set\r\n20 70\r\n>1.1=0#1=0");
	peer_close(&peer);
}

/* Each wait is for an answer that the shell makes only after what was typed. */
static void controls_jobs_by_keys(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, WORDS("sh"), true);
	type(&peer, "stty -echo; echo up$((1))\n");
	peer_run_until_seen(&peer, "up1");
	type(&peer, "echo go$((1)); cat\n");
	peer_run_until_seen(&peer, "go1");
	/* What comes back says that cat reads. */
	type(&peer, "ping\n");
	peer_run_until_seen(&peer, "ping");
	type(&peer, "\032");
	peer_run_until_seen(&peer, "Stopped");
	type(&peer, "sleep 1000 & echo $((6 * 7))\n");
	peer_run_until_seen(&peer, "42");
	type(&peer, "fg %1\n");
	type(&peer, "pong\n");
	peer_run_until_seen(&peer, "pong");
	/* The key throws away what was typed and not yet read. */
	type(&peer, "\003");
	peer_run_until_seen(&peer, "pong\r\n\r\n$ ");
	type(&peer, "echo status $?\n");
	peer_run_until_seen(&peer, "status 130");
	type(&peer, "exit 3\n");
	peer_run_until_over(&peer, 1);
	assert_non_null(strstr(br_buf_text(&peer.log), ">1.1=3#1=3"));
	peer_close(&peer);
}

static void feeds_a_program_without_a_terminal_up_to_the_end(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer,
		WORDS("sh", "-c",
			"test -t 0 || echo none; read x; echo $x; cat"),
		false);
	type(&peer, "word\n");
	type(&peer, "rest");
	br_session_input(peer.session, 1, NULL, 0);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1none\nword\nrest>1.1=0#1=0");
	peer_close(&peer);
}

/* The window, again and again, to one who reads slowly: all of it arrives. */
static void holds_no_more_than_the_window_for_a_slow_reader(void **state)
{
	enum { TOTAL = 1024 * 1024 };
	static char piece[BR_INPUT_WINDOW_BYTES];
	struct peer peer;
	size_t sent = 0;

	(void)state;
	peer_open(&peer, &plain);
	peer.is_counting = true;
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (char)i;
	start(&peer, WORDS("sh", "-c", "head -c 1 && sleep 0.2 && cat"), false);
	while (sent < TOTAL) {
		size_t room = br_session_input_room(peer.session, 1);
		size_t len = room < TOTAL - sent ? room : TOTAL - sent;

		/* Whole tables of bytes, so that the next one goes on. */
		len -= len % 256;
		if (len == 0) {
			peer_work(&peer);
			continue;
		}
		br_session_input(peer.session, 1, piece, len);
		sent += len;
	}
	br_session_input(peer.session, 1, NULL, 0);
	peer_run_until_over(&peer, 1);
	assert_int_equal(peer.output_bytes, TOTAL);
	assert_int_equal(peer.wrong_bytes, 0);
	assert_in_range(peer_init_peak_kib(&peer), 1, INIT_MAX_KIB);
	peer_close(&peer);
}

static void takes_what_nobody_reads_any_more(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer,
		WORDS("sh", "-c", "exec <&-; echo shut; read x; sleep 1000"),
		false);
	peer_run_until_seen(&peer, "shut");
	for (int i = 0; i < 2 * BR_INPUT_WINDOW_BYTES / 32; i++) {
		while (br_session_input_room(peer.session, 1) < 32)
			peer_work(&peer);
		br_session_input(peer.session, 1,
			"0123456789abcdef0123456789abcdef", 32);
	}
	br_session_stop(peer.session, 1, 0);
	peer_run_until_over(&peer, 1);
	peer_close(&peer);
}

static void says_that_a_shell_is_not_there(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, WORDS("no-such-shell"), true);
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log),
		"#1=127(1: shell 'no-such-shell': No such file or directory)");
	peer_close(&peer);
}

static void hangs_up_on_a_shell_that_is_stopped(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, WORDS("bash", "--norc", "--noprofile", "-i"), true);
	/*
	 * A shell that reads a command may hear of it with the next key only, so it is
	 * one that waits for a program.
	 */
	type(&peer,
		"stty -echo; trap 'echo hung up; exit 3' HUP; "
		"sh -c 'echo up$((1)); exec sleep 1000'\n");
	peer_run_until_seen(&peer, "up1");
	br_session_stop(peer.session, 1, PEER_PATIENCE_MS);
	peer_run_until_over(&peer, 1);
	assert_non_null(strstr(br_buf_text(&peer.log), "hung up"));
	peer_close(&peer);
}

static void ends_with_the_wire_however_long_somebody_types(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	start(&peer, WORDS("sh"), true);
	type(&peer, "trap '' HUP; echo up$((1)); sleep 1000\n");
	peer_run_until_seen(&peer, "up1");
	peer_hang_up(&peer);
}

/* Init stays with what runs, until it is told to end. */
static void keeps_what_runs_when_it_is_told_to(void **state)
{
	/* What it writes is dropped, and it is not told that nobody reads. */
	const struct br_session_step service = {
		.argv = WORDS("sh", "-c",
			"mkfifo go kept; echo up; read x <go; seq 100000; "
			"echo \"status $?\" >kept; sleep 1000")
	};
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start_stage(&peer, 1,
		(struct br_session_stage){
			.steps = &service, .step_count = 1 });
	peer_run_until_seen(&peer, "up");
	peer_keep(&peer, "go", "kept", "status 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			runs_what_is_typed_in_a_terminal_of_the_size_that_it_is),
		cmocka_unit_test(
			tells_the_one_in_front_that_the_size_has_changed),
		cmocka_unit_test(controls_jobs_by_keys),
		cmocka_unit_test(
			feeds_a_program_without_a_terminal_up_to_the_end),
		cmocka_unit_test(
			holds_no_more_than_the_window_for_a_slow_reader),
		cmocka_unit_test(takes_what_nobody_reads_any_more),
		cmocka_unit_test(says_that_a_shell_is_not_there),
		cmocka_unit_test(hangs_up_on_a_shell_that_is_stopped),
		cmocka_unit_test(
			ends_with_the_wire_however_long_somebody_types),
		cmocka_unit_test(keeps_what_runs_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
