/* SPDX-License-Identifier: MIT */
#include "cmd/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/rerun/rerun_build.h"

/* Where the signal handler writes, and what it has seen. */
static volatile sig_atomic_t signal_fd = -1;
static volatile sig_atomic_t signal_count;
static volatile sig_atomic_t first_signal;

enum {
	EXIT_SIGNAL = 128,
	/* For the run to leave by itself after a second signal. */
	LEAVE_SECONDS = 1,
};

/*
 * The run reads the pipe. It may be held up by a reader of our output that
 * stalls, though, so a second signal also starts a clock: what happens then is
 * what kill -9 does, and the nets clean up.
 */
static void on_signal(int number)
{
	int saved = errno;
	bool is_interrupt = number == SIGINT || number == BUILD_INTERRUPT;
	/* A terminal that closes is an end like any other. */
	int asked = is_interrupt ? SIGINT : SIGTERM;
	char byte = (char)asked;

	if (signal_count == 0)
		first_signal = asked;
	signal_count++;
	(void)!write((int)signal_fd, &byte, 1);
	if (signal_count == 2)
		(void)alarm(LEAVE_SECONDS);
	errno = saved;
}

static void on_others(int number)
{
	(void)number;
}

static void on_alarm(int number)
{
	(void)number;
	_exit(EXIT_SIGNAL + (int)first_signal);
}

int signals_catch(bool is_watched)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction others = { .sa_handler = on_others };
	struct sigaction leave = { .sa_handler = on_alarm };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	signal_fd = ends[1];
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		struct sigaction before;

		/* nohup(1) wants it ignored; shells ignore SIGINT for `&`. */
		if (caught[i] == SIGHUP &&
			sigaction(caught[i], NULL, &before) == 0 &&
			before.sa_handler == SIG_IGN)
			continue;
		(void)sigaction(
			caught[i], is_watched ? &others : &action, NULL);
	}
	if (is_watched) {
		(void)sigaction(BUILD_INTERRUPT, &action, NULL);
		(void)sigaction(BUILD_TERMINATE, &action, NULL);
	}
	(void)sigaction(SIGALRM, &leave, NULL);
	return ends[0];
}
