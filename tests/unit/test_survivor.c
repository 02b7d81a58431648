/* SPDX-License-Identifier: MIT */
/*
 * The bugs that these tests were seen to catch: signals not ignored, signals left blocked, our
 * end of the socket left open in the child, a descriptor too many, one at another's place.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/survivor.h"

enum {
	PATIENCE_MS = 60 * 1000,
	/* Descriptors that are looked at. */
	LOOKED_AT = 64,
	FIRST_GIVEN = BR_SURVIVOR_GIVEN_FD,
	SECOND_GIVEN,
};

/* What it tells by the first descriptor that it was given. */
struct told {
	pid_t pid;
	pid_t session;
	size_t open_count;
	bool is_in_root;
	bool is_deaf;
};

/* Two pipes that it is given: what it tells, and its farewell. */
struct pipes {
	int told[2];
	int farewell[2];
};

static size_t count_open(void)
{
	size_t count = 0;

	for (int fd = 0; fd < LOOKED_AT; fd++)
		count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
	return count;
}

static bool is_blocked(int number)
{
	sigset_t blocked;

	return sigprocmask(SIG_BLOCK, NULL, &blocked) < 0 ||
		sigismember(&blocked, number) != 0;
}

/* Wait until nobody has the other end of `fd`. */
static bool await_end(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&end, 1, PATIENCE_MS) == 1 && read(fd, &byte, 1) == 0;
}

static void tell_and_wait(const void *ctx)
{
	const char *farewell = ctx;
	char folder[2] = "";
	const struct told told = {
		.pid = getpid(),
		.session = getsid(0),
		.open_count = count_open(),
		.is_in_root = getcwd(folder, sizeof(folder)) != NULL,
		.is_deaf = is_blocked(SIGUSR1),
	};

	(void)!write(FIRST_GIVEN, &told, sizeof(told));
	if (await_end(BR_SURVIVOR_FD))
		(void)!write(SECOND_GIVEN, farewell, strlen(farewell));
}

/* The two are each where the other has to go. */
static bool start(const struct pipes *pipes, bool is_ours,
	struct br_survivor *survivor, struct br_err *err)
{
	int told = fcntl(pipes->told[1], F_DUPFD, LOOKED_AT);
	int farewell = fcntl(pipes->farewell[1], F_DUPFD, LOOKED_AT);
	const int given[] = { dup2(told, SECOND_GIVEN),
		dup2(farewell, FIRST_GIVEN) };
	const struct br_survivor_options options = {
		.main = tell_and_wait,
		.ctx = "bye",
		.given = given,
		.given_count = 2,
		.is_ours = is_ours,
	};

	return br_survivor_start(&options, survivor, err);
}

/* In a process of its own, which has nothing more to do. */
BR_NORETURN static void start_and_pause(const struct pipes *pipes, bool is_ours)
{
	struct br_survivor survivor = { .fd = -1 };
	struct br_err err = { 0 };
	sigset_t blocked;

	/* Not even a test that fails leaves it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	if (!start(pipes, is_ours, &survivor, &err) ||
		(survivor.pid > 0) != is_ours)
		_exit(EXIT_FAILURE);
	for (;;)
		(void)pause();
}

static pid_t fork_starter(struct pipes *pipes, bool is_ours)
{
	assert_int_equal(pipe(pipes->told), 0);
	assert_int_equal(pipe(pipes->farewell), 0);

	pid_t starter = fork();

	assert_true(starter >= 0);
	if (starter == 0)
		start_and_pause(pipes, is_ours);
	(void)close(pipes->told[1]);
	(void)close(pipes->farewell[1]);
	return starter;
}

static void read_told(const struct pipes *pipes, struct told *told)
{
	struct pollfd said = { .fd = pipes->told[0], .events = POLLIN };

	assert_int_equal(poll(&said, 1, PATIENCE_MS), 1);
	assert_int_equal(
		read(pipes->told[0], told, sizeof(*told)), sizeof(*told));
}

/* It comes only when the starter has ended, and then the child ends too. */
static void check_farewell(const struct pipes *pipes, pid_t starter)
{
	struct pollfd said = { .fd = pipes->farewell[0], .events = POLLIN };
	char farewell[4] = "";

	assert_int_equal(poll(&said, 1, 0), 0);
	assert_int_equal(kill(starter, SIGKILL), 0);
	assert_int_equal(waitpid(starter, NULL, 0), starter);
	assert_int_equal(poll(&said, 1, PATIENCE_MS), 1);
	assert_int_equal(read(pipes->farewell[0], farewell, 3), 3);
	assert_string_equal(farewell, "bye");
	assert_true(await_end(pipes->farewell[0]));
	(void)close(pipes->told[0]);
	(void)close(pipes->farewell[0]);
}

static void learns_that_who_started_it_was_killed(void **state)
{
	(void)state;
	for (int is_ours = 0; is_ours < 2; is_ours++) {
		struct pipes pipes;
		struct told told = { 0 };
		pid_t starter = fork_starter(&pipes, is_ours != 0);

		read_told(&pipes, &told);
		check_farewell(&pipes, starter);
	}
}

static void has_nothing_of_who_started_it(void **state)
{
	struct pipes pipes;
	struct told told = { 0 };
	pid_t starter = fork_starter(&pipes, false);

	(void)state;
	read_told(&pipes, &told);
	assert_int_equal(told.open_count, SECOND_GIVEN + 1);
	assert_true(told.is_in_root);
	assert_int_not_equal(told.session, getsid(0));
	assert_false(told.is_deaf);
	check_farewell(&pipes, starter);
}

static void is_not_ended_by_what_ends_others(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGTSTP };
	struct pipes pipes;
	struct told told = { 0 };
	pid_t starter = fork_starter(&pipes, true);

	(void)state;
	read_told(&pipes, &told);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(kill(told.pid, numbers[i]), 0);
	check_farewell(&pipes, starter);
}

static void says_that_it_did_not_start(void **state)
{
	static const int closed[] = { -1 };
	const struct br_survivor_options options = {
		.main = tell_and_wait,
		.given = closed,
		.given_count = 1,
	};
	struct br_survivor survivor = { .fd = -1 };
	struct br_err err = { 0 };

	(void)state;
	assert_false(br_survivor_start(&options, &survivor, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_string_equal(err.text, "the child did not start");
	assert_int_equal(survivor.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_that_who_started_it_was_killed),
		cmocka_unit_test(has_nothing_of_who_started_it),
		cmocka_unit_test(is_not_ended_by_what_ends_others),
		cmocka_unit_test(says_that_it_did_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
