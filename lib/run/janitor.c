/* SPDX-License-Identifier: MIT */
#include "run/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "session/private.h"

/* What buildr writes when nothing is left to do. */
static const char clean_word = 'c';

/*
 * A build that lasts longer than this has orphans swept beside it; a shorter one
 * after it, so that the sweep does not slow its start.
 */
enum { SWEEP_DELAY_MS = 1000 };

/*
 * When to look for leftovers, counted from the end of buildr. A request that was
 * on its way when buildr died may still make a container, hence several rounds.
 * A running container ends by itself and gives files back for up to three
 * seconds, hence force only in the last one.
 */
static const int64_t round_ms[] = { 0, 300, 1000, 2000, 3300 };
enum { ROUNDS = sizeof(round_ms) / sizeof(round_ms[0]) };

static void sleep_until(int64_t when_ms)
{
	int64_t left_ms = when_ms - br_clock_now_ms();

	if (left_ms > 0)
		(void)poll(NULL, 0, (int)left_ms);
}

static void sweep(const struct br_janitor_options *options, const char *build,
	bool is_forced)
{
	const struct br_sweep what = {
		.build = build,
		.self = options->self,
		.is_forced = is_forced,
	};
	struct br_err ignored = { 0 };

	/* Nobody is left to be told; the next buildr sweeps again. */
	(void)!br_engine_sweep(options->engine, &what, NULL, &ignored);
}

static void remove_leftovers(const struct br_janitor_options *options)
{
	int64_t start_ms = br_clock_now_ms();

	for (int i = 0; i < ROUNDS; i++) {
		sleep_until(start_ms + round_ms[i]);
		sweep(options, options->build, i == ROUNDS - 1);
	}
}

/* Wait for a byte or the end of the pipe. Gives false when time ran out. */
static bool wait_for_pipe(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int ready = 0;

	do
		ready = poll(&wait, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready != 0;
}

BR_NORETURN static void janitor_main(
	int fd, const struct br_janitor_options *options)
{
	bool has_swept = false;
	char word = '\0';

	if (!wait_for_pipe(fd, SWEEP_DELAY_MS)) {
		sweep(options, NULL, false);
		has_swept = true;
		(void)wait_for_pipe(fd, -1);
	}

	bool is_clean = read(fd, &word, 1) == 1 && word == clean_word;
	br_private_remove(options->private_dir);
	if (!is_clean)
		remove_leftovers(options);
	if (!has_swept)
		sweep(options, NULL, false);
	_exit(EXIT_SUCCESS);
}

/* Keep nothing of buildr's open: a reader of its output waits for the end. */
static bool drop_descriptors(int *keep)
{
	enum { KEPT = STDERR_FILENO + 1 };
	int null = open("/dev/null", O_RDWR);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || (fd != *keep && dup2(null, fd) < 0))
			return false;
	if (dup2(*keep, KEPT) < 0)
		return false;
	*keep = KEPT;
	return close_range(KEPT + 1, ~0U, 0) == 0;
}

static void ignore_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)signal(SIGALRM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

bool br_janitor_start(const struct br_janitor_options *options,
	struct br_janitor *janitor, struct br_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int read_fd = ends[0];
	br_autoclose int write_fd = ends[1];

	/* Forked twice, so that the janitor is not ours to wait for. */
	pid_t child = fork();
	if (child < 0)
		return br_fail_errno(err, "fork the janitor");
	if (child == 0) {
		(void)setsid();
		ignore_signals();

		pid_t grandchild = fork();
		if (grandchild != 0)
			_exit(grandchild < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
		if (!drop_descriptors(&read_fd) || chdir("/") < 0)
			_exit(EXIT_FAILURE);
		options->engine->cancel_fd = -1;
		janitor_main(read_fd, options);
	}

	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (status != 0)
		return br_fail(err, BR_ESYSTEM, "the janitor did not start");
	janitor->fd = br_take_fd(&write_fd);
	return true;
}

void br_janitor_release(struct br_janitor *janitor, bool is_clean)
{
	if (janitor->fd < 0)
		return;
	if (is_clean)
		(void)!write(janitor->fd, &clean_word, 1);
	(void)close(br_take_fd(&janitor->fd));
}
