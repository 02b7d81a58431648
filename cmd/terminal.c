/* SPDX-License-Identifier: MIT */
#include "cmd/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "view/view.h"

enum {
	/* Of a terminal that does not say how large it is. */
	DEFAULT_COLUMNS = 80,
	DEFAULT_ROWS = 24,
};

/* What tells the guard that the terminal is as it was. */
static const char restored_word = 'r';

/* Not of the terminal's session: it can set it from the background. */
static void guard_main(const void *ctx)
{
	const struct termios *saved = ctx;
	char word = '\0';
	ssize_t n;

	do
		n = read(BR_SURVIVOR_FD, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		(void)tcsetattr(BR_SURVIVOR_GIVEN_FD, TCSANOW, saved);
}

/* Without one the terminal stays raw if buildr is killed, and no more. */
static void start_guard(struct terminal *terminal)
{
	static const int given[] = { STDIN_FILENO };
	const struct br_survivor_options options = {
		.main = guard_main,
		.ctx = &terminal->saved,
		.given = given,
		.given_count = 1,
		.is_ours = true,
	};
	struct br_err ignored = { 0 };

	terminal->guard = (struct br_survivor){ .fd = -1 };
	(void)!br_survivor_start(&options, &terminal->guard, &ignored);
}

static void end_guard(struct terminal *terminal)
{
	if (terminal->guard.fd < 0)
		return;
	(void)!send(terminal->guard.fd, &restored_word, 1, MSG_NOSIGNAL);
	(void)close(br_take_fd(&terminal->guard.fd));
	while (waitpid(terminal->guard.pid, NULL, 0) < 0 && errno == EINTR)
		continue;
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
		.guard = { .fd = -1 },
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
