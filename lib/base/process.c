/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"

/* /proc files say size 0 and are short. */
enum { PROC_MAX_BYTES = 4096 };

static bool read_proc(const char *path, struct br_buf *text, struct br_err *err)
{
	return br_file_load(path, PROC_MAX_BYTES, text, err);
}

/*
 * Fields 3, the state, and 22, the start, of /proc/<pid>/stat. The second field is
 * the program's name in parentheses and may hold anything, so fields count from the
 * last ')'.
 */
static bool read_stat(
	pid_t pid, char *process_state, uint64_t *ticks, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_proc(path, &text, err))
		return false;

	const char *name_end = strrchr(br_buf_text(&text), ')');
	const char *at = name_end;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');

	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	if (!at || sscanf(at, " %" SCNu64, ticks) != 1)
		return br_fail(err, BR_ESYSTEM,
			"read '%s': not as proc(5) has it", path);
	*process_state = name_end[2];
	return true;
}

bool br_process_self(struct br_process_id *id, struct br_err *err)
{
	struct br_process_id found = { .pid = getpid() };
	br_autobuf struct br_buf boot = { 0 };
	struct stat namespace_file;
	char process_state = '\0';

	if (!read_proc("/proc/sys/kernel/random/boot_id", &boot, err))
		return false;
	(void)snprintf(
		found.boot, sizeof(found.boot), "%.36s", br_buf_text(&boot));
	if (stat("/proc/self/ns/pid", &namespace_file) < 0)
		return br_fail_errno(err, "read '/proc/self/ns/pid'");
	found.pid_namespace = namespace_file.st_ino;
	if (!read_stat(found.pid, &process_state, &found.start_ticks, err))
		return false;
	*id = found;
	return true;
}

void br_process_id_format(
	const struct br_process_id *id, char text[BR_PROCESS_ID_TEXT_BYTES])
{
	(void)snprintf(text, BR_PROCESS_ID_TEXT_BYTES,
		"%s/%" PRIu64 "/%d/%" PRIu64, id->boot, id->pid_namespace,
		(int)id->pid, id->start_ticks);
}

bool br_process_id_parse(
	const char *text, struct br_process_id *id, struct br_err *err)
{
	struct br_process_id parsed = { 0 };
	char again[BR_PROCESS_ID_TEXT_BYTES];

	/* NOLINTNEXTLINE(cert-err34-c): the format is checked by round trip */
	bool is_good = sscanf(text, "%36[^/]/%" SCNu64 "/%d/%" SCNu64,
			       parsed.boot, &parsed.pid_namespace, &parsed.pid,
			       &parsed.start_ticks) == 4 &&
		parsed.pid > 0;
	br_process_id_format(&parsed, again);
	if (!is_good || strcmp(again, text) != 0)
		return br_fail(err, BR_EINPUT, "'%s' names no process", text);
	*id = parsed;
	return true;
}

bool br_process_is_gone(
	const struct br_process_id *id, const struct br_process_id *self)
{
	uint64_t ticks = 0;
	char process_state = '\0';
	struct br_err err = { 0 };

	if (strcmp(id->boot, self->boot) != 0 ||
		id->pid_namespace != self->pid_namespace)
		return false;
	/* A zombie has ended; only its parent has not looked yet. */
	if (read_stat(id->pid, &process_state, &ticks, &err))
		return ticks != id->start_ticks || process_state == 'Z' ||
			process_state == 'X';
	return err.code == BR_ENOTFOUND;
}

/* A running helper and our ends of its pipes. */
struct helper {
	pid_t pid;
	int to;
	int from;
};

/* posix_spawnp() takes its lists without const but keeps what is in them. */
static char *const *without_const(const char *const *list)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	return (char *const *)(uintptr_t)list;
}

static bool spawn(const char *const *argv, const char *const *environment,
	int in, int out, pid_t *pid, struct br_err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	(void)posix_spawn_file_actions_addopen(
		&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	/* The programs ignore SIGPIPE, and a helper must not inherit that. */
	(void)sigaddset(&none, SIGPIPE);
	(void)posix_spawnattr_setsigdefault(&attributes, &none);
	(void)posix_spawnattr_setflags(
		&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

	int failure = posix_spawnp(pid, argv[0], &actions, &attributes,
		without_const(argv),
		environment ? without_const(environment) : environ);

	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	errno = failure;
	return failure == 0 || br_fail_errno(err, "run '%s'", argv[0]);
}

static bool start_helper(const char *const *argv,
	const char *const *environment, struct helper *helper,
	struct br_err *err)
{
	int to[2];
	int from[2];

	if (pipe2(to, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int to_read = to[0];
	br_autoclose int to_write = to[1];
	if (pipe2(from, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int from_read = from[0];
	br_autoclose int from_write = from[1];

	if (!spawn(argv, environment, to_read, from_write, &helper->pid, err))
		return false;
	helper->to = br_take_fd(&to_write);
	helper->from = br_take_fd(&from_read);
	return true;
}

/* When a helper has to end, and what asks for it before. */
struct patience {
	int64_t deadline_ms;
	int cancel_fd;
};

/* Wait until `fd` is readable, not past the deadline. */
static bool wait_readable(
	int fd, const struct patience *patience, struct br_err *err)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = patience->cancel_fd, .events = POLLIN },
	};

	for (;;) {
		int64_t left_ms = patience->deadline_ms - br_clock_now_ms();

		(void)poll(polled, 2, left_ms > 0 ? (int)left_ms : 0);
		if (polled[1].revents)
			return br_fail(err, BR_ECANCELED, "stopped on request");
		if (polled[0].revents)
			return true;
		if (left_ms <= 0)
			return br_fail(err, BR_ETIMEDOUT, "no end in time");
	}
}

/* Read to the end of the helper's output, not past the deadline or the cap. */
static bool collect(int from, const struct patience *patience, size_t max_bytes,
	struct br_buf *output, struct br_err *err)
{
	enum { PIECE_BYTES = 4096 };
	size_t start = output->len;

	for (;;) {
		if (!wait_readable(from, patience, err))
			return false;

		ssize_t n = read(
			from, br_buf_room(output, PIECE_BYTES), PIECE_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		br_buf_grew(output, (size_t)n);
		if (output->len - start > max_bytes)
			return br_fail(err, BR_EPROTO, "too much output");
	}
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

static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) <
		0 ||
		info.si_pid != 0;
}

/* Where there is no descriptor to wait for, look every now and then. */
static bool look_until_end(
	pid_t pid, const struct patience *patience, struct br_err *err)
{
	enum { PAUSE_MS = 10 };
	struct patience pause = *patience;
	struct br_err why = { 0 };

	while (!has_ended(pid)) {
		pause.deadline_ms = br_clock_now_ms() + PAUSE_MS;
		if (!wait_readable(-1, &pause, &why) &&
			(why.code == BR_ECANCELED ||
				br_clock_now_ms() >= patience->deadline_ms)) {
			*err = why;
			return false;
		}
	}
	return true;
}

/* Wait until the helper has ended: one that has closed stdout may still hang. */
static bool await_end(
	pid_t pid, const struct patience *patience, struct br_err *err)
{
	br_autoclose int fd = pidfd_open(pid, 0);

	/* A kernel before 5.3 has none, and valgrind does not know it. */
	return fd < 0 ? look_until_end(pid, patience, err)
		      : wait_readable(fd, patience, err);
}

bool br_process_run_within(const char *const *argv, const char *input,
	const struct br_process_limits *limits, struct br_buf *output,
	struct br_process_result *result, struct br_err *err)
{
	struct helper helper = { .to = -1, .from = -1 };
	struct patience patience = { .cancel_fd = limits->cancel_fd };
	struct br_err failure = { 0 };

	if (!start_helper(argv, limits->environment, &helper, &failure)) {
		if (errno != ENOENT) {
			*err = failure;
			return false;
		}
		result->status = 127;
		return true;
	}

	/* Input is a line or two and fits the pipe; EPIPE is the helper's say. */
	(void)!write(helper.to, input, strlen(input));
	(void)close(helper.to);
	patience.deadline_ms = br_clock_now_ms() + limits->timeout_ms;
	bool is_whole = collect(
		helper.from, &patience, limits->max_bytes, output, &failure);
	(void)close(helper.from);
	is_whole = is_whole && await_end(helper.pid, &patience, &failure);
	if (!is_whole)
		(void)kill(helper.pid, SIGKILL);

	int status = wait_for(helper.pid);
	if (!is_whole)
		return br_fail(
			err, failure.code, "'%s': %s", argv[0], failure.text);
	result->status = status;
	return true;
}

bool br_process_run(const char *const *argv, const char *input,
	int64_t timeout_ms, size_t max_bytes, struct br_buf *output,
	struct br_process_result *result, struct br_err *err)
{
	const struct br_process_limits limits = {
		.timeout_ms = timeout_ms,
		.max_bytes = max_bytes,
		.cancel_fd = -1,
	};

	return br_process_run_within(argv, input, &limits, output, result, err);
}
