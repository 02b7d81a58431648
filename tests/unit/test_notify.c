/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/notify.h"
#include "base/clean.h"
#include "base/clock.h"

/* Listen as systemd does, at an abstract name that the kernel chooses. */
static int listen_as_systemd(char name[32])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address.sun_family);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	len = sizeof(address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(name, 32, "@%.*s",
		(int)(len - offsetof(struct sockaddr_un, sun_path) - 1),
		address.sun_path + 1);
	return fd;
}

static void assert_said(int fd, const char *wanted)
{
	char text[256] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_memory_equal(text, wanted, strlen(wanted));
}

static void assert_silent(int fd)
{
	char byte = 0;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
}

static void tells_systemd(void **state)
{
	char name[32];
	br_autoclose int fd = listen_as_systemd(name);
	struct notify notify;

	(void)state;
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open(&notify);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_ready(&notify);
	assert_said(fd, "READY=1");
	notify_reloading(&notify);
	assert_said(fd, "RELOADING=1\nMONOTONIC_USEC=");
	notify_send(&notify, "STATUS=at work");
	assert_said(fd, "STATUS=at work");
	assert_int_equal(notify.alive_ms, -1);
	notify_work(&notify);
	assert_silent(fd);
	notify_close(&notify);
}

static void feeds_the_watchdog_in_half_its_time(void **state)
{
	char name[32];
	br_autoclose int fd = listen_as_systemd(name);
	struct notify notify;
	int64_t before_ms = br_clock_now_ms();

	(void)state;
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "7200000000", 1);
	notify_open(&notify);
	notify_work(&notify);
	assert_said(fd, "WATCHDOG=1");
	assert_true(notify.alive_ms >= before_ms + INT64_C(3600) * 1000);
	assert_true(
		notify.alive_ms <= br_clock_now_ms() + INT64_C(3600) * 1000);
	notify_work(&notify);
	assert_silent(fd);
	notify_close(&notify);
}

static void leaves_the_watchdog_of_another_process_alone(void **state)
{
	char name[32];
	br_autoclose int fd = listen_as_systemd(name);
	struct notify notify;

	(void)state;
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open(&notify);
	assert_int_equal(notify.alive_ms, -1);
	notify_work(&notify);
	assert_silent(fd);
	notify_close(&notify);
}

static void is_silent_where_nobody_listens(void **state)
{
	static const char *const names[] = { "/nowhere/at/all", "vsock:2:1",
		"" };
	struct notify notify;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		setenv("WATCHDOG_USEC", "1000000", 1);
		notify_open(&notify);
		assert_int_equal(notify.fd, -1);
		assert_int_equal(notify.alive_ms, -1);
		notify_ready(&notify);
		notify_work(&notify);
		notify_close(&notify);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_systemd),
		cmocka_unit_test(feeds_the_watchdog_in_half_its_time),
		cmocka_unit_test(leaves_the_watchdog_of_another_process_alone),
		cmocka_unit_test(is_silent_where_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
