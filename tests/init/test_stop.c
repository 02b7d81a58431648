/* SPDX-License-Identifier: MIT */
/* How a stage is stopped and how everything ends, by a real buildr-init. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static const struct peer_options plain = { 0 };

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Prints how many processes have the argument 54321: those of the stage before. */
#define COUNT_SLEEPERS \
	"set +e; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | " \
	"grep -cx '5432[1]'; true"

static void expect_sleepers(struct peer *peer, unsigned stage, int count)
{
	char expected[64];

	peer_start(peer, stage, STEPS(COUNT_SLEEPERS));
	peer_run_until_over(peer, stage);
	(void)snprintf(expected, sizeof(expected), "<%u.1%d\n>%u.1=0", stage,
		count, stage);
	if (!strstr(br_buf_text(&peer->log), expected))
		fail_msg("not \"%s\" but: %s", expected,
			br_buf_text(&peer->log));
}

static void gives_a_step_time_to_end_by_itself(void **state)
{
	enum { LONG_GRACE_MS = 3600 * 1000 };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("trap 'echo told; exit 7' TERM; sleep 54321 & "
		      "until grep -qx sleep /proc/$!/comm; do :; done; "
		      "echo ready; wait",
			"echo never"));
	peer_run_until_seen(&peer, "ready");
	br_session_stop(peer.session, 1, LONG_GRACE_MS);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1ready\ntold\n>1.1=7#1=7");
	/* The process in the background was told as well. */
	expect_sleepers(&peer, 2, 0);
	peer_close(&peer);
}

static void kills_a_tree_that_does_not_want_to_end(void **state)
{
	enum { SHORT_GRACE_MS = 50 };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("trap '' TERM\n"
		      "setsid sh -c 'trap \"\" TERM; sleep 54321; :' &\n"
		      "(setsid sleep 54321; :) &\n"
		      "sleep 54321 & kill -STOP $!\n"
		      "echo ready; sleep 54321; echo on; sleep 54321"));
	peer_run_until_seen(&peer, "ready");
	br_session_stop(peer.session, 1, SHORT_GRACE_MS);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1ready\n>1.1=137#1=137");
	assert_true(peer.report.is_signal);
	expect_sleepers(&peer, 2, 0);
	peer_close(&peer);
}

static void kills_at_once_without_a_grace(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("trap 'echo told' TERM; echo ready; while :; do :; done"));
	peer_run_until_seen(&peer, "ready");
	br_session_stop(peer.session, 1, 0);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1ready\n>1.1=137#1=137");
	peer_close(&peer);
}

static void stops_an_exec_form_step_and_the_shell_behind_it(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = ":" },
		{ .argv = STEPS("sh", "-c", "echo ready; exec sleep 54321") },
		{ .text = "echo never" },
	};
	enum { LONG_GRACE_MS = 3600 * 1000 };
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start_stage(&peer, 1,
		(struct br_session_stage){ .steps = steps, .step_count = 3 });
	peer_run_until_seen(&peer, "ready");
	br_session_stop(peer.session, 1, LONG_GRACE_MS);
	peer_run_until_over(&peer, 1);
	assert_string_equal(
		br_buf_text(&peer.log), "<1.1>1.1=0<1.2ready\n>1.2=143#1=143");
	peer_close(&peer);
}

static void stops_only_the_stage_that_is_meant(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1, STEPS("mkfifo f; echo one; read x <f; echo $x"));
	peer_run_until_seen(&peer, "one");
	peer_start(&peer, 2, STEPS("echo two; sleep 54321"));
	peer_run_until_seen(&peer, "two");
	br_session_stop(peer.session, 2, 0);
	peer_run_until_over(&peer, 1);
	peer_start(&peer, 3, STEPS("echo still >f; rm f"));
	peer_run_until_over(&peer, 3);
	assert_non_null(strstr(br_buf_text(&peer.log), "still\n"));
	assert_non_null(strstr(br_buf_text(&peer.log), "#1=0"));
	/* One that is over, or was never there, is not. */
	br_session_stop(peer.session, 1, 0);
	br_session_stop(peer.session, 9, 0);
	peer_close(&peer);
}

static void leaves_processes_alone_until_the_end(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1, STEPS("sleep 54321 & setsid sleep 54321 &"));
	peer_run_until_over(&peer, 1);
	/* Both have come as far as that, and are there in the next stage. */
	peer_start(&peer, 2,
		STEPS("set +e; until cat /proc/[0-9]*/cmdline 2>/dev/null | "
		      "tr '\\0' '\\n' | grep -cx '5432[1]' | grep -qx 2; do :; "
		      "done"));
	peer_run_until_over(&peer, 2);
	expect_sleepers(&peer, 3, 2);
	/* Its end is waited for: nothing outlives PID 1. */
	peer_close(&peer);
}

static void ends_with_the_connection(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, &plain);
	peer_start(&peer, 1,
		STEPS("trap '' TERM HUP; setsid sleep 54321 & echo ready; "
		      "sleep 54321"));
	peer_run_until_seen(&peer, "ready");
	peer_hang_up(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_step_time_to_end_by_itself),
		cmocka_unit_test(kills_a_tree_that_does_not_want_to_end),
		cmocka_unit_test(kills_at_once_without_a_grace),
		cmocka_unit_test(
			stops_an_exec_form_step_and_the_shell_behind_it),
		cmocka_unit_test(stops_only_the_stage_that_is_meant),
		cmocka_unit_test(leaves_processes_alone_until_the_end),
		cmocka_unit_test(ends_with_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
