/* SPDX-License-Identifier: MIT */
/*
 * What a service needs of a real buildr-init: a wait for its port, and readiness
 * checks beside its main process, as many as it takes.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clean.h"
#include "peer.h"

static const struct peer_options plain = { 0 };

#define STEPS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Bind a port that nobody else has, on this address. */
static int bind_port(in_addr_t address, unsigned *port)
{
	struct sockaddr_in bound = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(address) };
	socklen_t len = sizeof(bound);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&bound, sizeof(bound)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
	*port = ntohs(bound.sin_port);
	return fd;
}

/* As in an image that has nothing at all: no shell, no such folder, no user. */
static void start_wait(
	struct peer *peer, unsigned stage, unsigned port, bool is_local)
{
	const struct br_session_step step = { .port = port,
		.port_is_local = is_local };

	peer_start_stage(peer, stage,
		(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.environment = STEPS("PATH=/nowhere"),
			.workdir = "/nowhere" });
	peer_run_until_seen(peer, "<1.1");
}

static void expect_log(const struct peer *peer, const char *part)
{
	if (!strstr(br_buf_text(&peer->log), part))
		fail_msg("no '%s' in: %s", part, br_buf_text(&peer->log));
}

static void waits_until_a_port_is_served(void **state)
{
	struct peer peer;
	unsigned port;
	br_autoclose int fd = bind_port(INADDR_ANY, &port);

	(void)state;
	peer_open(&peer, &plain);
	start_wait(&peer, 1, port, false);
	peer_start(&peer, 2, STEPS("for i in 1 2 3; do (:); done"));
	peer_run_until_over(&peer, 1);
	expect_log(&peer, "#2=0");
	assert_int_equal(listen(fd, 1), 0);
	peer_run_until_over(&peer, 2);
	expect_log(&peer, ">1.1=0#1=0");
	peer_close(&peer);
}

static void waits_for_a_port_until_it_is_stopped(void **state)
{
	struct peer peer;
	unsigned port;
	br_autoclose int fd = bind_port(INADDR_LOOPBACK, &port);

	(void)state;
	/* Nobody outside reaches this one. */
	assert_int_equal(listen(fd, 1), 0);
	peer_open(&peer, &plain);
	start_wait(&peer, 1, port, false);
	peer_start(&peer, 2, STEPS("for i in 1 2 3; do (:); done"));
	peer_run_until_over(&peer, 1);
	br_session_stop(peer.session, 1, PEER_PATIENCE_MS);
	peer_run_until_over(&peer, 2);
	expect_log(&peer, ">1.1=143#1=143");
	peer_close(&peer);
}

static void takes_a_loopback_address_where_it_may(void **state)
{
	struct peer peer;
	unsigned port;
	br_autoclose int fd = bind_port(INADDR_LOOPBACK, &port);

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	peer_open(&peer, &plain);
	start_wait(&peer, 1, port, true);
	peer_run_until_over(&peer, 1);
	assert_string_equal(br_buf_text(&peer.log), "<1.1>1.1=0#1=0");
	peer_close(&peer);
}

/* The wait has no copy of the socket by which a shell learns that it is to end. */
static void holds_up_no_other_stage_while_it_waits(void **state)
{
	const struct br_session_step steps[] = {
		{ .text = "echo first" },
		{ .argv = STEPS("sh", "-c", "echo ready; read x <f; exit 3") },
		{ .text = "echo never" },
	};
	struct peer peer;
	unsigned port;
	br_autoclose int fd = bind_port(INADDR_ANY, &port);

	(void)state;
	assert_true(fd >= 0);
	peer_open(&peer, &plain);
	peer_start(&peer, 3, STEPS("mkfifo f"));
	peer_run_until_over(&peer, 1);
	peer_start_stage(&peer, 2,
		(struct br_session_stage){ .steps = steps, .step_count = 3 });
	peer_run_until_seen(&peer, "ready");
	start_wait(&peer, 1, port, false);
	peer_start(&peer, 3, STEPS("echo >f"));
	peer_run_until_over(&peer, 3);
	expect_log(&peer, ">2.2=3#2=3");
	br_session_stop(peer.session, 1, 0);
	peer_run_until_over(&peer, 4);
	peer_close(&peer);
}

static void check_service(struct peer *peer, size_t count)
{
	const struct br_session_step check = { .argv = STEPS("false") };

	for (size_t i = 0; i < count; i++) {
		br_buf_clear(&peer->log);
		peer_start_stage(peer, 1,
			(struct br_session_stage){ .steps = &check,
				.step_count = 1,
				.has_tty = i % 2 == 1 });
		peer_run_until_over(peer, peer->over_count + 1);
		assert_string_equal(br_buf_text(&peer->log), "<1.1>1.1=1#1=1");
	}
}

/* Nothing grows with the number of stages that are over. */
static void checks_a_service_as_often_as_it_takes(void **state)
{
	enum { FEW = 50, MANY = 450, FEW_FILES = 64, MORE_KIB = 256 };
	const struct br_session_step server = {
		.argv = STEPS("sh", "-c", "echo up; exec sleep 54321")
	};
	struct rlimit before;
	struct peer peer;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	const struct rlimit few = { FEW_FILES, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	peer_open(&peer, &plain);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	peer_start_stage(&peer, 65535,
		(struct br_session_stage){ .steps = &server, .step_count = 1 });
	peer_run_until_seen(&peer, "up\n");
	check_service(&peer, FEW);
	long few_kib = peer_init_peak_kib(&peer);
	check_service(&peer, MANY);
	assert_in_range(
		peer_init_peak_kib(&peer), 1, (uintmax_t)few_kib + MORE_KIB);
	br_session_stop(peer.session, 65535, PEER_PATIENCE_MS);
	peer_run_until_over(&peer, FEW + MANY + 1);
	expect_log(&peer, ">65535.1=143#65535=143");
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_until_a_port_is_served),
		cmocka_unit_test(waits_for_a_port_until_it_is_stopped),
		cmocka_unit_test(takes_a_loopback_address_where_it_may),
		cmocka_unit_test(holds_up_no_other_stage_while_it_waits),
		cmocka_unit_test(checks_a_service_as_often_as_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
