/* SPDX-License-Identifier: MIT */
#include "base/survivor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clean.h"

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

/* Have nothing of our parent's open but `kept`, each at its place. */
static bool keep_only(const int *kept, size_t count)
{
	const int first_closed = BR_SURVIVOR_FD + (int)count;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int lifted[1 + BR_SURVIVOR_GIVEN];

	/* Out of the way first: each may be where another has to go. */
	for (size_t i = 0; i < count; i++) {
		lifted[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, first_closed);
		if (lifted[i] < 0)
			return false;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			return false;
	for (size_t i = 0; i < count; i++)
		if (dup2(lifted[i], BR_SURVIVOR_FD + (int)i) < 0)
			return false;
	return close_range((unsigned)first_closed, ~0U, 0) == 0;
}

/* Be nothing of our parent's any more but what knows of its end. */
static bool leave(int socket_fd, const struct br_survivor_options *options)
{
	int kept[1 + BR_SURVIVOR_GIVEN] = { socket_fd };

	for (size_t i = 0; i < options->given_count; i++)
		kept[1 + i] = options->given[i];
	(void)setsid();
	ignore_signals();
	return keep_only(kept, 1 + options->given_count) && chdir("/") == 0;
}

BR_NORETURN static void child_main(
	int socket_fd, const struct br_survivor_options *options)
{
	if (!leave(socket_fd, options))
		_exit(EXIT_FAILURE);
	if (!options->is_ours) {
		pid_t grandchild = fork();

		if (grandchild != 0)
			_exit(grandchild < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	options->main(options->ctx);
	_exit(EXIT_SUCCESS);
}

/* Of the first of two forks, which ends at once. */
static bool await_start(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return status == 0;
}

bool br_survivor_start(const struct br_survivor_options *options,
	struct br_survivor *survivor, struct br_err *err)
{
	int ends[2];

	assert(options->given_count <= BR_SURVIVOR_GIVEN);
	/* Not a pipe, whose end is nothing that libcurl would call readable. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return br_fail_errno(err, "make a socket");
	br_autoclose int theirs = ends[0];
	br_autoclose int ours = ends[1];

	pid_t child = fork();
	if (child < 0)
		return br_fail_errno(err, "fork");
	if (child == 0)
		child_main(theirs, options);
	if (!options->is_ours && !await_start(child))
		return br_fail(err, BR_ESYSTEM, "the child did not start");
	*survivor = (struct br_survivor){
		.pid = options->is_ours ? child : 0,
		.fd = br_take_fd(&ours),
	};
	return true;
}
