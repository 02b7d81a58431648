/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"

/* What a child says of itself, and of a child of its own. */
struct told {
	pid_t pid;
	pid_t session;
	pid_t grandchild;
	char word[8];
};

/* Has a child too; both stay until somebody ends them. */
static void tell_and_stay(const void *ctx, int fd)
{
	struct told told = { .pid = getpid(), .session = getsid(0) };

	told.grandchild = fork();
	if (told.grandchild == 0) {
		(void)pause();
		_exit(EXIT_SUCCESS);
	}
	memcpy(told.word, ctx, sizeof(told.word));
	(void)!send(fd, &told, sizeof(told), 0);
	(void)pause();
}

static void tell_and_go(const void *ctx, int fd)
{
	(void)!send(fd, ctx, 1, 0);
}

static void works_beside_us_and_ends_with_its_own_children(void **state)
{
	struct br_child child = BR_CHILD_NONE;
	struct br_err err = { 0 };
	struct told told = { 0 };
	pid_t pid = 0;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_true(br_child_start(tell_and_stay, "a word\0", &child, &err));
	pid = child.pid;
	assert_int_equal(recv(child.fd, &told, sizeof(told), 0), sizeof(told));
	assert_int_equal(told.pid, pid);
	assert_int_equal(told.session, pid);
	assert_string_equal(told.word, "a word");
	assert_int_equal(kill(told.grandchild, 0), 0);
	br_child_end(&child);
	assert_int_equal(child.fd, -1);
	assert_int_equal(child.pid, 0);
	/* Waited for: it is not even a zombie. */
	assert_int_equal(kill(pid, 0), -1);
	/* Its child has become ours, and has ended too. */
	assert_int_equal(waitpid(told.grandchild, NULL, 0), told.grandchild);
	br_child_end(&child);
}

static void is_heard_to_the_end(void **state)
{
	struct br_child child = BR_CHILD_NONE;
	struct br_err err = { 0 };
	char byte = 0;

	(void)state;
	assert_true(br_child_start(tell_and_go, "x", &child, &err));
	assert_int_equal(recv(child.fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(recv(child.fd, &byte, 1, 0), 0);
	br_child_end(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			works_beside_us_and_ends_with_its_own_children),
		cmocka_unit_test(is_heard_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
