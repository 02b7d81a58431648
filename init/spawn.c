/* SPDX-License-Identifier: MIT */
#include "init/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "init/fds.h"
#include "init/mem.h"
#include "init/port.h"
#include "init/protocol.h"

enum {
	STATUS_NOT_FOUND = 127,
	STATUS_NOT_EXECUTABLE = 126,
	LAST_SIGNAL = 31,
	/* All of the child's own descriptors go above what it hands on. */
	FIRST_FREE_FD = BR_STEP_FD + 1,
};

static bool reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number <= LAST_SIGNAL; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* A copy above those that are handed on, so that none overwrites another. */
static int lift(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
}

/* `fd` is the copy of `from`, which may be none. */
static bool place(int from, int fd, int at)
{
	return from < 0 || (fd >= 0 && dup2(fd, at) >= 0);
}

/* Those of a terminal, which becomes the one that controls the session. */
static bool place_terminal(int tty, bool is_attended)
{
	if (ioctl(tty, TIOCSCTTY, 0) < 0)
		return false;
	/*
	 * When the session's leader ends, whatever it has left running would be
	 * told that the terminal is gone. It is not.
	 */
	if (!is_attended)
		(void)signal(SIGHUP, SIG_IGN);
	return dup2(tty, STDIN_FILENO) >= 0 && dup2(tty, STDOUT_FILENO) >= 0 &&
		dup2(tty, STDERR_FILENO) >= 0;
}

static bool place_streams(int in, int from_out, int out, int from_err, int err)
{
	/* An image may have no /dev/null: then there is no stdin. */
	(void)close(STDIN_FILENO);
	return place(in, in, STDIN_FILENO) &&
		place(from_out, out, STDOUT_FILENO) &&
		place(from_err, err, STDERR_FILENO);
}

static int open_stdin(const struct spawn *spawn)
{
	if (spawn->tty >= 0)
		return lift(spawn->tty);
	if (spawn->in >= 0)
		return lift(spawn->in);
	return lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

/* All of it, or output would go where nobody reads it. */
static bool place_descriptors(const struct spawn *spawn)
{
	int out = lift(spawn->out);
	int err = lift(spawn->err);
	int control = lift(spawn->control);
	int script = lift(spawn->script);
	int in = open_stdin(spawn);

	return (spawn->tty < 0 ? place_streams(
					 in, spawn->out, out, spawn->err, err)
			       : place_terminal(in, spawn->is_attended)) &&
		place(spawn->control, control, BR_STEP_FD) &&
		place(spawn->script, script, SCRIPT_FD);
}

static bool switch_user(const struct user *user)
{
	if (!user)
		return true;
	return setgroups(user->group_count, user->groups) == 0 &&
		setgid(user->gid) == 0 && setuid(user->uid) == 0;
}

static void fail_child(int report, enum spawn_stage stage)
{
	struct spawn_failure failure = { .stage = stage, .error = errno };

	(void)!write(report, &failure, sizeof(failure));
	_exit(STATUS_NOT_FOUND);
}

/* Say on stderr what a shell would say of a command. */
static void fail_step(const char *program)
{
	int error = errno;

	(void)dprintf(STDERR_FILENO, "buildr: %s: %s\n", program,
		error == ENOENT ? "not found" : strerror(error));
	_exit(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/*
 * Not another program, so that nothing need be in the image. What that one would
 * lose by its start is closed here: a copy of a shell's socket would keep it open.
 */
static void wait_for_port(const struct spawn *spawn)
{
	fds_close_from(STDERR_FILENO + 1);
	/* Outside of a container nothing else ends it when init is gone. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	port_wait(spawn->port, spawn->is_local);
	_exit(EXIT_SUCCESS);
}

static void run_child(const struct spawn *spawn, int report)
{
	int lifted = lift(report);

	if (lifted < 0)
		fail_child(report, SPAWN_SYSTEM);
	if (setsid() < 0 || !reset_signals() || !place_descriptors(spawn))
		fail_child(lifted, SPAWN_SYSTEM);
	if (spawn->port != 0)
		wait_for_port(spawn);
	if (!switch_user(spawn->user))
		fail_child(lifted, SPAWN_USER);
	/* As the user: what it cannot enter is no workdir for it. */
	if (spawn->workdir && chdir(spawn->workdir) < 0)
		fail_child(lifted, SPAWN_WORKDIR);

	environ = spawn->environment;
	(void)execvp(spawn->argv[0], spawn->argv);
	if (spawn->is_step)
		fail_step(spawn->argv[0]);
	fail_child(lifted, SPAWN_EXEC);
}

pid_t spawn_start(const struct spawn *spawn, int *report)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	/* A child that hangs before its program runs holds up nobody. */
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);

	pid_t pid = fork();
	if (pid == 0)
		run_child(spawn, ends[1]);

	int error = errno;
	(void)close(ends[1]);
	if (pid < 0)
		(void)close(ends[0]);
	else
		*report = ends[0];
	errno = error;
	return pid;
}

bool spawn_has_failed(int report, struct spawn_failure *failure)
{
	ssize_t n;

	do
		n = read(report, failure, sizeof(*failure));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*failure);
}

static size_t count_strings(char *const *strings)
{
	size_t count = 0;

	while (strings[count])
		count++;
	return count;
}

static bool is_same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strncmp(a, b, len) == 0 && b[len] == '=';
}

/* Put NAME=VALUE into the list, over one of the same name. */
static void set(char **list, size_t *count, char *entry)
{
	for (size_t i = 0; i < *count; i++) {
		if (is_same_name(entry, list[i])) {
			list[i] = entry;
			return;
		}
	}
	list[(*count)++] = entry;
}

/*
 * The engine sets HOME for root, the user of this process, where the image does
 * not; that one is not meant for another user, while any other was chosen.
 */
static bool is_home_free(char *const *list, size_t count)
{
	static const char *const roots[] = { "HOME=/root", "HOME=/", "HOME=" };

	for (size_t i = 0; i < count; i++) {
		if (!is_same_name("HOME", list[i]))
			continue;
		for (size_t k = 0; k < sizeof(roots) / sizeof(roots[0]); k++)
			if (strcmp(list[i], roots[k]) == 0)
				return true;
		return false;
	}
	return true;
}

static bool has_name(char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (is_same_name(name, list[i]))
			return true;
	return false;
}

char **environment_make(char **own, char **over, const struct user *user,
	bool has_tty, char home[USER_HOME_BYTES + 8])
{
	static char term[] = "TERM=xterm";
	size_t max = count_strings(own) + count_strings(over) + 3;
	char **list = mem_new(max * sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; own[i]; i++)
		set(list, &count, own[i]);
	if (user && user->uid != 0 && is_home_free(list, count)) {
		(void)snprintf(
			home, USER_HOME_BYTES + 8, "HOME=%s", user->home);
		set(list, &count, home);
	}
	for (size_t i = 0; over[i]; i++)
		set(list, &count, over[i]);
	if (has_tty && !has_name(list, count, "TERM"))
		set(list, &count, term);
	return list;
}
