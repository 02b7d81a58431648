/* SPDX-License-Identifier: MIT */
#include "cmd/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "view/view.h"

enum {
	/* Where the guard has its descriptors; everything else is closed. */
	GUARD_TERMINAL = 3,
	GUARD_LIFELINE = 4,
	GUARD_FIRST_CLOSED = 5,
	/* Of a terminal that does not say how large it is. */
	DEFAULT_COLUMNS = 80,
	DEFAULT_ROWS = 24,
};

/* What tells the guard that the terminal is as it was. */
static const char restored_word = 'r';

BR_NORETURN static void guard(int lifeline, const struct termios *saved)
{
	char word = '\0';
	/* Above the places that the copies go to. */
	int terminal = fcntl(STDIN_FILENO, F_DUPFD, GUARD_FIRST_CLOSED);

	lifeline = fcntl(lifeline, F_DUPFD, GUARD_FIRST_CLOSED);
	/* Not of the terminal's session: it can set it from the background. */
	(void)setsid();
	if (dup2(terminal, GUARD_TERMINAL) < 0 ||
		dup2(lifeline, GUARD_LIFELINE) < 0)
		_exit(EXIT_FAILURE);
	(void)close_range(GUARD_FIRST_CLOSED, UINT_MAX, 0);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)close(fd);

	ssize_t n;
	do
		n = read(GUARD_LIFELINE, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		(void)tcsetattr(GUARD_TERMINAL, TCSANOW, saved);
	_exit(EXIT_SUCCESS);
}

/* Without one the terminal stays raw if buildr is killed, and no more. */
static void start_guard(struct terminal *terminal)
{
	int ends[2];

	terminal->guard = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	br_autoclose int theirs = ends[0];
	br_autoclose int ours = ends[1];

	terminal->guard = fork();
	if (terminal->guard == 0) {
		(void)close(br_take_fd(&ours));
		guard(theirs, &terminal->saved);
	}
	if (terminal->guard > 0)
		terminal->guard_fd = br_take_fd(&ours);
}

static void end_guard(struct terminal *terminal)
{
	if (terminal->guard <= 0)
		return;
	(void)!send(terminal->guard_fd, &restored_word, 1, MSG_NOSIGNAL);
	(void)close(br_take_fd(&terminal->guard_fd));
	while (waitpid(terminal->guard, NULL, 0) < 0 && errno == EINTR)
		continue;
	terminal->guard = -1;
}

static void begin(void *ctx)
{
	struct terminal *terminal = ctx;
	struct termios raw;

	if (!terminal->seat.is_terminal ||
		tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
		return;
	br_view_pause(terminal->view, true);
	start_guard(terminal);
	raw = terminal->saved;
	cfmakeraw(&raw);
	terminal->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void end(void *ctx)
{
	struct terminal *terminal = ctx;

	if (terminal->is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->saved);
	terminal->is_raw = false;
	end_guard(terminal);
	br_view_pause(terminal->view, false);
}

static void size(void *ctx, unsigned *columns, unsigned *rows)
{
	const struct terminal *terminal = ctx;
	struct signalfd_siginfo info;
	struct winsize window = { 0 };

	while (read(terminal->resize_fd, &info, sizeof(info)) > 0)
		continue;
	(void)ioctl(terminal->out_fd, TIOCGWINSZ, &window);
	*columns = window.ws_col > 0 ? window.ws_col : DEFAULT_COLUMNS;
	*rows = window.ws_row > 0 ? window.ws_row : DEFAULT_ROWS;
}

/* Whoever shares the descriptor may have made it one that does not wait. */
static bool may_go_on(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (errno == EAGAIN)
		(void)poll(&wait, 1, -1);
	return errno == EAGAIN || errno == EINTR;
}

static bool write_all(int fd, struct br_str data, struct br_err *err)
{
	size_t done = 0;

	while (done < data.len) {
		ssize_t n = write(fd, data.data + done, data.len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (!may_go_on(fd))
			return br_fail_errno(err, "write what a shell writes");
	}
	return true;
}

static bool output(void *ctx, enum br_stream stream, struct br_str data,
	struct br_err *err)
{
	const struct terminal *terminal = ctx;
	int fd = stream == BR_STREAM_STDERR ? STDERR_FILENO : STDOUT_FILENO;

	return write_all(
		terminal->seat.is_terminal ? terminal->out_fd : fd, data, err);
}

/* SIGWINCH, which comes to nobody else. */
static int watch_size(void)
{
	sigset_t taken;

	(void)sigemptyset(&taken);
	(void)sigaddset(&taken, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &taken, NULL) < 0)
		return -1;
	return signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

void terminal_open(struct terminal *terminal, int out_fd, struct br_sink *view)
{
	bool is_terminal = isatty(STDIN_FILENO) && isatty(out_fd);

	*terminal = (struct terminal){
		.out_fd = out_fd,
		.view = view,
		.resize_fd = is_terminal ? watch_size() : -1,
		.guard = -1,
		.guard_fd = -1,
	};
	terminal->seat = (struct br_seat){
		.ctx = terminal,
		.input_fd = STDIN_FILENO,
		.is_terminal = is_terminal,
		.resize_fd = terminal->resize_fd,
		.term = getenv("TERM"),
		.begin = begin,
		.end = end,
		.size = size,
		.output = output,
	};
}

void terminal_close(struct terminal *terminal)
{
	end(terminal);
	if (terminal->resize_fd >= 0)
		(void)close(br_take_fd(&terminal->resize_fd));
}
