/* SPDX-License-Identifier: MIT */
#include "session/ping.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "init/protocol.h"

/* Where the helper has its descriptors; everything else is closed. */
enum {
	HELPER_WIRE = 3,
	HELPER_LIFELINE = 4,
	HELPER_TOKEN_IN = 5,
	HELPER_TOKEN_OUT = 6,
	HELPER_FIRST_CLOSED = 7,
	PERIOD_MS = 1000,
};

/* Wait for `fd` to be ready, or leave when the parent has gone. */
static bool wait_or_leave(int fd, short events, int timeout_ms)
{
	struct pollfd waits[] = {
		{ .fd = HELPER_LIFELINE, .events = POLLIN },
		{ .fd = fd, .events = events },
	};

	int n = poll(waits, 2, timeout_ms);
	if (waits[0].revents != 0)
		_exit(EXIT_SUCCESS);
	return n > 0 && waits[1].revents != 0;
}

static bool put_token(int fd)
{
	ssize_t n;

	do
		n = write(fd, "", 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Send one frame whole, however full the connection is. */
static void send_ping(void)
{
	uint8_t frame[BR_FRAME_HEADER_BYTES];
	size_t done = 0;

	br_frame_encode(&(struct br_frame){ .type = BR_FRAME_PING }, frame);
	while (done < sizeof(frame)) {
		ssize_t n = send(HELPER_WIRE, frame + done,
			sizeof(frame) - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN && done > 0)
			(void)wait_or_leave(HELPER_WIRE, POLLOUT, -1);
		else if (errno == EAGAIN)
			/* What fills the connection is heard as well. */
			return;
		else if (errno != EINTR)
			_exit(EXIT_SUCCESS);
	}
}

BR_NORETURN
static void run_helper(void)
{
	for (;;) {
		char token;

		(void)wait_or_leave(-1, 0, PERIOD_MS);
		while (read(HELPER_TOKEN_IN, &token, 1) != 1)
			(void)wait_or_leave(HELPER_TOKEN_IN, POLLIN, -1);
		send_ping();
		while (!put_token(HELPER_TOKEN_OUT))
			(void)wait_or_leave(-1, 0, PERIOD_MS);
	}
}

/* Close what the helper has inherited: it would keep others' wires open. */
static void close_rest(void)
{
	long count = sysconf(_SC_OPEN_MAX);

	if (close_range(HELPER_FIRST_CLOSED, UINT_MAX, 0) == 0)
		return;
	for (int fd = HELPER_FIRST_CLOSED; fd < count; fd++)
		(void)close(fd);
}

/* Above the places that the copies go to, so that none overwrites another. */
static int lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, HELPER_FIRST_CLOSED);
}

BR_NORETURN
static void start_helper(
	int wire, int lifeline, int token_in, int token_out, pid_t parent)
{
	const int from[] = { lift(open("/dev/null", O_RDWR | O_CLOEXEC)),
		lift(wire), lift(lifeline), lift(token_in), lift(token_out) };

	/* A signal to the terminal's foreground is not meant for it. */
	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(from[0], fd);
	for (int i = 1; i < (int)(sizeof(from) / sizeof(from[0])); i++)
		if (dup2(from[i], HELPER_WIRE + i - 1) < 0)
			_exit(EXIT_FAILURE);
	close_rest();
	run_helper();
}

void br_ping_init(struct br_ping *ping)
{
	*ping = (struct br_ping){
		.lifeline = -1, .token_in = -1, .token_out = -1
	};
}

bool br_ping_open(struct br_ping *ping, int fd, struct br_err *err)
{
	int life[2];
	int token[2];
	pid_t parent = getpid();

	br_ping_init(ping);
	if (pipe2(life, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int life_in = life[0];
	br_autoclose int life_out = life[1];
	if (pipe2(token, O_CLOEXEC | O_NONBLOCK) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int token_in = token[0];
	br_autoclose int token_out = token[1];
	if (!put_token(token_out))
		return br_fail_errno(err, "write to a pipe");

	pid_t pid = fork();
	if (pid < 0)
		return br_fail_errno(err, "start a helper process");
	if (pid == 0)
		start_helper(fd, life_in, token_in, token_out, parent);
	ping->pid = pid;
	ping->lifeline = br_take_fd(&life_out);
	ping->token_in = br_take_fd(&token_in);
	ping->token_out = br_take_fd(&token_out);
	return true;
}

bool br_ping_take(struct br_ping *ping)
{
	char token;

	if (ping->pid <= 0 || ping->has_token)
		return true;
	ping->has_token = read(ping->token_in, &token, 1) == 1;
	return ping->has_token;
}

void br_ping_give(struct br_ping *ping)
{
	if (!ping->has_token)
		return;
	/* Where that fails it stays here, and is given the next time. */
	ping->has_token = !put_token(ping->token_out);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void br_ping_close(struct br_ping *ping)
{
	if (ping->pid > 0) {
		(void)kill(ping->pid, SIGKILL);
		while (waitpid(ping->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	close_fd(ping->lifeline);
	close_fd(ping->token_in);
	close_fd(ping->token_out);
	br_ping_init(ping);
}
