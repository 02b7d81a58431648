/* SPDX-License-Identifier: MIT */
/*
 * How a real buildr-init starts and gives up: wrong arguments, no connection, frames
 * that break the protocol, silence and signals. Here it is an ordinary child, not PID 1.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clean.h"
#include "base/clock.h"
#include "init/protocol.h"
#include "peer.h"

#define ARGS(...) ((const char *const[]){ "init", __VA_ARGS__, NULL })

/* A buildr-init that is a child of the test. */
struct child {
	pid_t pid;
	/* Its stdin and stdout. */
	int wire;
	/* Its stderr. */
	int err;
};

static void become_init(
	const char *path, const char *const *argv, int wire, int err)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	char *const *args = (char *const *)(uintptr_t)argv;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(wire, STDIN_FILENO);
	(void)dup2(wire, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)execv(path, args);
	_exit(99);
}

static void start(struct child *child, const char *const *argv)
{
	br_autofree char *path = NULL;
	struct br_err err = { 0 };
	int wire[2];
	int errors[2];

	if (!br_private_find_init(&path, &err))
		fail_msg("%s", err.text);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire), 0);
	assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
	*child = (struct child){ .wire = wire[0], .err = errors[0] };
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0)
		become_init(path, argv, wire[1], errors[1]);
	(void)close(wire[1]);
	(void)close(errors[1]);
}

/* Wait for the end of any process. */
static void await_end(int pidfd)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	assert_true(pidfd >= 0);
	assert_int_equal(poll(&wait, 1, PEER_PATIENCE_MS), 1);
	(void)close(pidfd);
}

/* Wait for its end: `status`, and `said` on stderr. */
static void expect_end(struct child *child, int status, const char *said)
{
	br_autobuf struct br_buf text = { 0 };
	int ended = 0;
	ssize_t n = 0;

	while ((n = read(child->err, br_buf_room(&text, 1000), 1000)) > 0)
		br_buf_grew(&text, (size_t)n);
	await_end(pidfd_open(child->pid, 0));
	assert_int_equal(waitpid(child->pid, &ended, 0), child->pid);
	assert_true(WIFEXITED(ended));
	assert_int_equal(WEXITSTATUS(ended), status);
	assert_string_equal(br_buf_text(&text), said);
	(void)close(child->wire);
	(void)close(child->err);
}

static void put_number(struct br_buf *payload, uint8_t tag, uint64_t number)
{
	uint8_t header[BR_FIELD_HEADER_BYTES];
	uint8_t value[8];

	br_field_encode(tag, sizeof(value), header);
	br_number_encode(number, value);
	br_buf_add(payload, (const char *)header, sizeof(header));
	br_buf_add(payload, (const char *)value, sizeof(value));
}

static void put_text(struct br_buf *payload, uint8_t tag, const char *text)
{
	uint8_t header[BR_FIELD_HEADER_BYTES];

	br_field_encode(tag, (uint32_t)strlen(text), header);
	br_buf_add(payload, (const char *)header, sizeof(header));
	br_buf_add_text(payload, text);
}

/* Add a frame to `wire`, with or without a payload. */
static void put_frame(struct br_buf *wire, enum br_frame_type type,
	uint16_t stage, const struct br_buf *payload)
{
	const struct br_frame frame = { .type = type,
		.stage = stage,
		.len = payload ? (uint32_t)payload->len : 0 };
	uint8_t header[BR_FRAME_HEADER_BYTES];

	br_frame_encode(&frame, header);
	br_buf_add(wire, (const char *)header, sizeof(header));
	if (payload)
		br_buf_add(wire, payload->data, payload->len);
}

static void put_setup(
	struct br_buf *wire, uint64_t version, uint64_t silence_ms)
{
	br_autobuf struct br_buf payload = { 0 };

	put_number(&payload, BR_TAG_VERSION, version);
	if (silence_ms > 0)
		put_number(&payload, BR_TAG_SILENCE_MS, silence_ms);
	put_frame(wire, BR_FRAME_SETUP, 0, &payload);
}

static void put_stage(struct br_buf *wire, uint16_t number, const char *script)
{
	br_autobuf struct br_buf payload = { 0 };

	put_text(&payload, BR_TAG_SHELL_ARG, "/bin/sh");
	put_text(&payload, BR_TAG_SHELL_ARG, "-c");
	put_text(&payload, BR_TAG_SHELL_ARG, script);
	put_text(&payload, BR_TAG_STEP, "");
	put_frame(wire, BR_FRAME_STAGE, number, &payload);
}

static void say(const struct child *child, const struct br_buf *wire)
{
	assert_int_equal(send(child->wire, wire->data, wire->len, MSG_NOSIGNAL),
		wire->len);
}

/* Wait until it has said what has `bytes` in it; gives the place after those. */
static const char *hear_bytes(const struct child *child, struct br_buf *heard,
	const void *bytes, size_t len)
{
	for (;;) {
		struct pollfd wait = { .fd = child->wire, .events = POLLIN };
		const char *found = heard->len == 0
			? NULL
			: memmem(heard->data, heard->len, bytes, len);

		if (found)
			return found + len;
		assert_int_equal(poll(&wait, 1, PEER_PATIENCE_MS), 1);
		ssize_t n = read(child->wire, br_buf_room(heard, 1000), 1000);
		assert_true(n > 0);
		br_buf_grew(heard, (size_t)n);
	}
}

static const char *hear(
	const struct child *child, struct br_buf *heard, const char *text)
{
	return hear_bytes(child, heard, text, strlen(text));
}

static void refuses_arguments_that_it_does_not_know(void **state)
{
	static const char said[] =
		"buildr-init is started by buildr in a container\n";
	struct child child;

	(void)state;
	start(&child, ARGS(NULL));
	expect_end(&child, 2, said);
	start(&child, ARGS("tcp"));
	expect_end(&child, 2, said);
	start(&child, ARGS("stdio", "more"));
	expect_end(&child, 2, said);
}

static void ends_where_there_is_nothing_to_connect_to(void **state)
{
	char path[200];
	struct child child;

	(void)state;
	start(&child, ARGS("socket", "/nonexistent/wire"));
	expect_end(&child, 1, "");
	/* Longer than a socket's path can be. */
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	start(&child, ARGS("socket", path));
	expect_end(&child, 1, "");
}

static void nothing_before_setup(struct br_buf *wire)
{
	put_stage(wire, 1, "exit 0");
}

static void no_other_version(struct br_buf *wire)
{
	put_setup(wire, BR_PROTOCOL_VERSION + 1, 0);
}

static void no_setup_without_a_version(struct br_buf *wire)
{
	put_frame(wire, BR_FRAME_SETUP, 0, NULL);
}

static void no_second_setup(struct br_buf *wire)
{
	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_setup(wire, BR_PROTOCOL_VERSION, 0);
}

static void no_stage_without_a_number(struct br_buf *wire)
{
	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_stage(wire, 0, "exit 0");
}

static void no_stage_a_second_time(struct br_buf *wire)
{
	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_stage(wire, 1, "exec sleep 3600");
	put_stage(wire, 1, "exec sleep 3600");
}

static void no_step_for_a_shell_that_is_not_named(struct br_buf *wire)
{
	br_autobuf struct br_buf payload = { 0 };

	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_text(&payload, BR_TAG_STEP, "");
	put_frame(wire, BR_FRAME_STAGE, 1, &payload);
}

static void put_port_step(
	struct br_buf *wire, bool has_step, bool has_argument, uint64_t port)
{
	br_autobuf struct br_buf payload = { 0 };

	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	if (has_step)
		put_text(&payload, BR_TAG_STEP, "");
	if (has_argument)
		put_text(&payload, BR_TAG_EXEC_ARG, "true");
	put_number(&payload, BR_TAG_PORT, port);
	put_frame(wire, BR_FRAME_STAGE, 1, &payload);
}

static void no_port_without_a_step(struct br_buf *wire)
{
	put_port_step(wire, false, false, 80);
}

static void no_port_for_a_step_that_is_a_program(struct br_buf *wire)
{
	put_port_step(wire, true, true, 80);
}

static void no_port_that_cannot_be(struct br_buf *wire)
{
	put_port_step(wire, true, false, 65536);
}

static void no_workdir_that_is_relative(struct br_buf *wire)
{
	br_autobuf struct br_buf payload = { 0 };

	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_text(&payload, BR_TAG_WORKDIR, "etc");
	put_frame(wire, BR_FRAME_STAGE, 1, &payload);
}

static void no_frame_that_only_init_sends(struct br_buf *wire)
{
	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_frame(wire, BR_FRAME_ENDED, 0, NULL);
}

static void no_stop_with_a_field_that_does_not_fit(struct br_buf *wire)
{
	br_autobuf struct br_buf payload = { 0 };

	put_setup(wire, BR_PROTOCOL_VERSION, 0);
	put_number(&payload, BR_TAG_GRACE_MS, 1);
	payload.len -= 1;
	put_frame(wire, BR_FRAME_STOP, 1, &payload);
}

static void no_garbage(struct br_buf *wire)
{
	br_buf_add_text(wire, "GET / HTTP/1.1\r\n\r\n");
}

static void ends_where_the_protocol_is_broken(void **state)
{
	static void (*const broken[])(
		struct br_buf * wire) = { nothing_before_setup,
		no_other_version, no_setup_without_a_version, no_second_setup,
		no_stage_without_a_number, no_stage_a_second_time,
		no_step_for_a_shell_that_is_not_named, no_port_without_a_step,
		no_port_for_a_step_that_is_a_program, no_port_that_cannot_be,
		no_workdir_that_is_relative, no_frame_that_only_init_sends,
		no_stop_with_a_field_that_does_not_fit, no_garbage };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		br_autobuf struct br_buf wire = { 0 };
		struct child child;

		print_message("# case %zu\n", i);
		start(&child, ARGS("stdio"));
		broken[i](&wire);
		say(&child, &wire);
		expect_end(&child, 1, "");
	}
}

static void ends_when_nothing_is_heard_for_too_long(void **state)
{
	br_autobuf struct br_buf wire = { 0 };
	struct child child;

	(void)state;
	start(&child, ARGS("stdio"));
	put_setup(&wire, BR_PROTOCOL_VERSION, 1);
	say(&child, &wire);
	expect_end(&child, 1, "");
}

/* Let init stand still. Gives false where it had ended before, on a busy machine. */
static bool hold(const struct child *child, int how_long_ms)
{
	siginfo_t info = { 0 };

	assert_int_equal(kill(child->pid, SIGSTOP), 0);
	/* Its end is for expect_end(). */
	assert_int_equal(waitid(P_PID, (id_t)child->pid, &info,
				 WSTOPPED | WEXITED | WNOWAIT),
		0);
	if (info.si_code != CLD_STOPPED)
		return false;
	(void)poll(NULL, 0, how_long_ms);
	return true;
}

/* See that one which is held for longer than the silence lives on after that. */
static bool outlives_a_standstill(void)
{
	enum {
		SILENCE_MS = 1000,
		HELD_MS = 1500,
		LOOK_MS = 500,
		ROUNDING_MS = 5
	};
	br_autobuf struct br_buf wire = { 0 };
	br_autobuf struct br_buf heard = { 0 };
	struct child child;

	start(&child, ARGS("stdio"));
	put_setup(&wire, BR_PROTOCOL_VERSION, SILENCE_MS);
	put_stage(&wire, 1, "echo 1 >&9; echo begun; sleep 1000");

	int64_t said_ms = br_clock_now_ms();
	say(&child, &wire);
	(void)hear(&child, &heard, "begun\n");

	bool is_held = hold(&child, HELD_MS);
	(void)kill(child.pid, SIGCONT);
	expect_end(&child, 1, "");
	if (is_held)
		assert_in_range(br_clock_now_ms() - said_ms,
			SILENCE_MS + HELD_MS - LOOK_MS - ROUNDING_MS,
			INT32_MAX);
	return is_held;
}

static void takes_a_machine_that_stood_still_for_no_silence(void **state)
{
	int tries = 0;

	(void)state;
	while (!outlives_a_standstill())
		assert_true(++tries < 100);
}

static void takes_pings_stops_that_are_late_and_an_end(void **state)
{
	br_autobuf struct br_buf wire = { 0 };
	br_autobuf struct br_buf heard = { 0 };
	br_autobuf struct br_buf grace = { 0 };
	struct child child;

	(void)state;
	start(&child, ARGS("stdio"));
	/* In microseconds there would not be much left of it. */
	put_setup(&wire, BR_PROTOCOL_VERSION, UINT64_MAX / 1000 + 1);
	put_stage(&wire, 1, "echo 1 >&9; sleep 0.1; echo slept");
	say(&child, &wire);
	(void)hear(&child, &heard, "slept\n");
	br_buf_clear(&wire);
	put_frame(&wire, BR_FRAME_PING, 0, NULL);
	put_number(&grace, BR_TAG_GRACE_MS, UINT64_MAX);
	put_frame(&wire, BR_FRAME_STOP, 7, &grace);
	put_frame(&wire, BR_FRAME_END, 0, NULL);
	/* What comes after the end does not count. */
	put_frame(&wire, BR_FRAME_SETUP, 0, NULL);
	say(&child, &wire);
	expect_end(&child, 0, "");
}

/* A second STOP may only make the time shorter. */
static void stops_a_stage_again_with_less_grace(void **state)
{
	static const uint8_t finished[] = { BR_FRAME_STAGE_FINISHED, 0, 1, 0 };
	br_autobuf struct br_buf wire = { 0 };
	br_autobuf struct br_buf heard = { 0 };
	br_autobuf struct br_buf grace = { 0 };
	struct child child;

	(void)state;
	start(&child, ARGS("stdio"));
	put_setup(&wire, BR_PROTOCOL_VERSION, 0);
	put_stage(&wire, 1,
		"trap 'echo asked' TERM; echo 1 >&9; echo ready\n"
		"while :; do sleep 3600 & wait; done");
	say(&child, &wire);
	(void)hear(&child, &heard, "ready\n");

	br_buf_clear(&wire);
	put_number(&grace, BR_TAG_GRACE_MS, UINT64_MAX);
	put_frame(&wire, BR_FRAME_STOP, 1, &grace);
	say(&child, &wire);
	(void)hear(&child, &heard, "asked\n");

	br_buf_clear(&wire);
	put_frame(&wire, BR_FRAME_STOP, 1, NULL);
	say(&child, &wire);
	(void)hear_bytes(&child, &heard, finished, sizeof(finished));

	br_buf_clear(&wire);
	put_frame(&wire, BR_FRAME_END, 0, NULL);
	say(&child, &wire);
	expect_end(&child, 0, "");
}

static void ends_with_a_signal_and_takes_all_descendants_along(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		br_autobuf struct br_buf wire = { 0 };
		br_autobuf struct br_buf heard = { 0 };
		struct child child;

		start(&child, ARGS("stdio"));
		put_setup(&wire, BR_PROTOCOL_VERSION, 0);
		/* One that has left its session and has lost its parent. */
		put_stage(&wire, 1,
			"echo 1 >&9\n"
			"(setsid sh -c 'echo pid=$$.; exec sleep 3600' &)\n"
			"exec sleep 3600");
		say(&child, &wire);
		(void)hear(&child, &heard, ".\n");
		const char *number = hear(&child, &heard, "pid=");
		pid_t pid = (pid_t)strtol(number, NULL, 10);
		int descendant = pidfd_open(pid, 0);

		if (signals[i] != 0)
			assert_int_equal(kill(child.pid, signals[i]), 0);
		else
			assert_int_equal(shutdown(child.wire, SHUT_WR), 0);
		expect_end(&child, 1, "");
		await_end(descendant);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_arguments_that_it_does_not_know),
		cmocka_unit_test(ends_where_there_is_nothing_to_connect_to),
		cmocka_unit_test(ends_where_the_protocol_is_broken),
		cmocka_unit_test(ends_when_nothing_is_heard_for_too_long),
		cmocka_unit_test(
			takes_a_machine_that_stood_still_for_no_silence),
		cmocka_unit_test(takes_pings_stops_that_are_late_and_an_end),
		cmocka_unit_test(stops_a_stage_again_with_less_grace),
		cmocka_unit_test(
			ends_with_a_signal_and_takes_all_descendants_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
