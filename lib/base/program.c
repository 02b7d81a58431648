/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"

enum {
	PIECE_BYTES = 16 * 1024,
	/* What is kept of stderr: its end says what went wrong. */
	ERRORS_MAX_BYTES = 16 * 1024,
	/* Where there is no descriptor to wait for the end, look so often. */
	LOOK_MS = 10,
	/* What a shell says of a program that is not there. */
	STATUS_NOT_FOUND = 127,
};

/* A running program and our ends of its pipes. */
struct running {
	const struct br_program *program;
	const struct br_process_limits *limits;
	pid_t pid;
	/* Readable when the program has ended; -1: the kernel has none. */
	int pid_fd;
	int output_fd;
	int errors_fd;
	size_t output_len;
	int64_t deadline_ms;
};

/* The ends that the program gets. */
struct theirs {
	int input;
	int output;
	int errors;
};

/* A handler of ours must not run in the child, where it would tell us of its signals. */
static void drop_handlers(void)
{
	struct sigaction action;

	for (int number = 1; number < NSIG; number++)
		if (sigaction(number, NULL, &action) == 0 &&
			action.sa_handler != SIG_IGN &&
			action.sa_handler != SIG_DFL)
			(void)signal(number, SIG_DFL);
}

static void set_signals(const struct br_process_limits *limits)
{
	sigset_t none;

	drop_handlers();
	/* The programs ignore SIGPIPE, and a helper must not inherit that. */
	(void)signal(SIGPIPE, SIG_DFL);
	/* It is to say that a file is too large instead of dying of it. */
	if (limits->max_file_bytes > 0)
		(void)signal(SIGXFSZ, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool limit_files(const struct br_process_limits *limits)
{
	const struct rlimit limit = {
		.rlim_cur = (rlim_t)limits->max_file_bytes,
		.rlim_max = (rlim_t)limits->max_file_bytes,
	};

	return limits->max_file_bytes <= 0 ||
		setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* Say who we are before anything is done: whoever watches may be needed at once. */
static bool announce(const struct br_program *program)
{
	pid_t self = getpid();

	return !program->has_watcher ||
		write(program->watcher_fd, &self, sizeof(self)) ==
		(ssize_t)sizeof(self);
}

/* Have `fd` as `to`, also in the program. */
static bool place(int fd, int to)
{
	return fd == to ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, to) >= 0;
}

static bool place_files(const struct theirs *theirs)
{
	int errors = theirs->errors;

	if (errors < 0)
		errors = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return place(theirs->input, STDIN_FILENO) &&
		place(theirs->output, STDOUT_FILENO) &&
		place(errors, STDERR_FILENO);
}

/* execvp() and the like take arrays without const but keep them. */
static char *const *without_const(const char *const *texts)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	return (char *const *)(uintptr_t)texts;
}

/* In the child: become the program, or tell `failure_fd` why not. */
BR_NORETURN static void become(const struct br_program *program,
	const struct br_process_limits *limits, const struct theirs *theirs,
	int failure_fd)
{
	set_signals(limits);
	if ((!program->has_session || setsid() >= 0) && announce(program) &&
		(!program->folder || chdir(program->folder) == 0) &&
		place_files(theirs) && limit_files(limits))
		(void)execvpe(program->argv[0], without_const(program->argv),
			limits->environment ? without_const(limits->environment)
					    : environ);

	int why = errno;
	(void)!write(failure_fd, &why, sizeof(why));
	_exit(STATUS_NOT_FOUND);
}

static bool open_pipe(int *from, int *to, struct br_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	*from = ends[0];
	*to = ends[1];
	return true;
}

/* Make a pipe at whose end of ours nobody waits. */
static bool open_output(int *ours, int *theirs, struct br_err *err)
{
	if (!open_pipe(ours, theirs, err))
		return false;
	return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0 ||
		br_fail_errno(err, "prepare a pipe");
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* Fork, and wait until the child has become the program. */
static bool spawn(const struct br_program *program, const struct theirs *theirs,
	struct running *running, struct br_err *err)
{
	br_autoclose int failure_read = -1;
	br_autoclose int failure_write = -1;
	sigset_t all;
	sigset_t before;
	int why = 0;

	if (!open_pipe(&failure_read, &failure_write, err))
		return false;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	running->pid = fork();
	if (running->pid == 0)
		become(program, running->limits, theirs, failure_write);
	why = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = why;
	if (running->pid < 0)
		return br_fail_errno(err, "run '%s'", program->argv[0]);

	/* It closes with the child's becoming the program. */
	(void)close(br_take_fd(&failure_write));
	if (read(failure_read, &why, sizeof(why)) != (ssize_t)sizeof(why))
		return true;
	(void)wait_for(running->pid);
	errno = why;
	return br_fail_errno(err, "run '%s'", program->argv[0]);
}

/* Give a program much to read: a file that has no name. */
static bool open_long_input(
	struct br_str input, int *theirs, struct br_err *err)
{
	br_autoclose int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return br_fail_errno(err, "make the input of a program");
	if (!br_file_write(fd, input.data, input.len, err))
		return false;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return br_fail_errno(err, "make the input of a program");
	*theirs = br_take_fd(&fd);
	return true;
}

/* A line or two fits a pipe before there is anybody to read it. */
static bool open_input(
	const struct br_program *program, int *theirs, struct br_err *err)
{
	struct br_str input = br_str(program->input ? program->input : "");
	br_autoclose int write_end = -1;

	if (program->input_len > 0)
		input.len = program->input_len;
	if (input.len > PIPE_BUF)
		return open_long_input(input, theirs, err);
	if (!open_pipe(theirs, &write_end, err))
		return false;
	(void)!write(write_end, input.data, input.len);
	return true;
}

static bool start(const struct br_program *program, struct running *running,
	struct br_err *err)
{
	br_autoclose int input_read = -1;
	br_autoclose int output_read = -1;
	br_autoclose int output_write = -1;
	br_autoclose int errors_read = -1;
	br_autoclose int errors_write = -1;

	if (!open_input(program, &input_read, err) ||
		!open_output(&output_read, &output_write, err) ||
		(program->errors &&
			!open_output(&errors_read, &errors_write, err)))
		return false;

	const struct theirs theirs = { input_read, output_write, errors_write };
	if (!spawn(program, &theirs, running, err))
		return false;
	running->output_fd = br_take_fd(&output_read);
	running->errors_fd = br_take_fd(&errors_read);
	return true;
}

/* Read a piece. Gives false where there is nothing (more) to read now. */
static bool read_piece(int *fd, struct br_buf *into)
{
	ssize_t n = -1;

	if (*fd < 0)
		return false;
	do
		n = read(*fd, br_buf_room(into, PIECE_BYTES), PIECE_BYTES);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		br_buf_grew(into, (size_t)n);
		return true;
	}
	if (n == 0 || errno != EAGAIN)
		(void)close(br_take_fd(fd));
	return false;
}

static bool read_output(
	struct running *running, struct br_buf *output, struct br_err *err)
{
	while (read_piece(&running->output_fd, output))
		if (output->len - running->output_len >
			running->limits->max_bytes)
			return br_fail(err, BR_EPROTO, "too much output");
	return true;
}

static void read_errors(struct running *running)
{
	struct br_buf *errors = running->program->errors;

	while (errors && read_piece(&running->errors_fd, errors))
		if (errors->len > ERRORS_MAX_BYTES)
			br_buf_drop(errors, errors->len - ERRORS_MAX_BYTES / 2);
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) <
		0 ||
		info.si_pid != 0;
}

/* Wait until there is something to do, for as long as there is time. */
static bool wait_for_news(
	const struct running *running, bool *is_over, struct br_err *err)
{
	struct pollfd polled[] = {
		{ .fd = running->pid_fd, .events = POLLIN },
		{ .fd = running->limits->cancel_fd, .events = POLLIN },
		{ .fd = running->output_fd, .events = POLLIN },
		{ .fd = running->errors_fd, .events = POLLIN },
	};
	int64_t left_ms = running->deadline_ms - br_clock_now_ms();
	int64_t wait_ms = running->pid_fd < 0 ? LOOK_MS : INT_MAX;

	if (wait_ms > left_ms)
		wait_ms = left_ms;
	int ready = poll(polled, sizeof(polled) / sizeof(polled[0]),
		wait_ms > 0 ? (int)wait_ms : 0);
	if (ready > 0 && polled[1].revents)
		return br_fail(err, BR_ECANCELED, "stopped on request");
	*is_over = running->pid_fd < 0 ? has_ended(running->pid)
				       : ready > 0 && polled[0].revents;
	return *is_over || left_ms > 0 ||
		br_fail(err, BR_ETIMEDOUT, "no end in time");
}

/*
 * Read until the program has ended. What a child that it has left behind writes later
 * is nobody's, and one that has closed its output may still hang.
 */
static bool attend(
	struct running *running, struct br_buf *output, struct br_err *err)
{
	bool is_over = false;

	while (!is_over) {
		if (!wait_for_news(running, &is_over, err))
			return false;
		read_errors(running);
		if (!read_output(running, output, err))
			return false;
	}
	return true;
}

/* End what must not go on, while the pid cannot be another's yet. */
static int end(const struct running *running, bool is_whole)
{
	if (running->program->has_session)
		(void)kill(-running->pid, SIGKILL);
	else if (!is_whole)
		(void)kill(running->pid, SIGKILL);
	return wait_for(running->pid);
}

bool br_program_run(const struct br_program *program,
	const struct br_process_limits *limits, struct br_buf *output,
	int *status, struct br_err *err)
{
	struct running running = {
		.program = program,
		.limits = limits,
		.output_fd = -1,
		.errors_fd = -1,
		.output_len = output->len,
	};
	struct br_err failure = { 0 };

	if (!start(program, &running, &failure)) {
		if (errno != ENOENT) {
			*err = failure;
			return false;
		}
		*status = STATUS_NOT_FOUND;
		return true;
	}

	/* A kernel before 5.3 has none, and valgrind does not know it. */
	running.pid_fd = pidfd_open(running.pid, 0);
	running.deadline_ms = br_clock_now_ms() + limits->timeout_ms;
	bool is_whole = attend(&running, output, &failure);
	int ended_with = end(&running, is_whole);

	br_clean_close(&running.pid_fd);
	br_clean_close(&running.output_fd);
	br_clean_close(&running.errors_fd);
	if (!is_whole)
		return br_fail(err, failure.code, "'%s': %s", program->argv[0],
			failure.text);
	*status = ended_with;
	return true;
}
