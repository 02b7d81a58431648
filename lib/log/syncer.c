/* SPDX-License-Identifier: MIT */
#include "log/syncer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"

enum {
	/* What is lost at most when the power goes, with what the disk takes. */
	PERIOD_MS = 500,
	/* Where the child has its descriptors. */
	PIPE_FD = STDERR_FILENO + 1,
	EVENTS_FD,
	OUTPUT_FD,
	FOLDER_FD,
	FIRST_CLOSED,
};

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

/* Have nothing of buildr's open but what is given, each at its place. */
static bool keep_only(const int *given, size_t count)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int lifted[FIRST_CLOSED];

	/* Out of the way first: each may be where another has to go. */
	for (size_t i = 0; i < count; i++) {
		lifted[i] = fcntl(given[i], F_DUPFD_CLOEXEC, FIRST_CLOSED);
		if (lifted[i] < 0)
			return false;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			return false;
	for (size_t i = 0; i < count; i++)
		if (dup2(lifted[i], PIPE_FD + (int)i) < 0)
			return false;
	return close_range(FIRST_CLOSED, ~0U, 0) == 0;
}

/* What cannot be synced is not ours to mend. */
static void sync_grown(int fd, off_t *synced)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || status.st_size == *synced)
		return;
	*synced = status.st_size;
	(void)fdatasync(fd);
}

BR_NORETURN static void syncer_main(const struct br_syncer_options *options)
{
	struct pollfd end = { .fd = PIPE_FD, .events = POLLIN };
	off_t events = 0;
	off_t output = 0;
	int ready = 0;

	/* Their names first: a file that no folder has is lost. */
	(void)fsync(FOLDER_FD);
	while (ready <= 0) {
		ready = poll(&end, 1, PERIOD_MS);
		sync_grown(OUTPUT_FD, &output);
		sync_grown(EVENTS_FD, &events);
	}
	br_log_folder_prune(options->folder, &options->limits, options->build);
	_exit(EXIT_SUCCESS);
}

/* Forked twice, so that it is not ours to wait for. */
BR_NORETURN static void start_child(
	int pipe_fd, const struct br_syncer_options *options)
{
	const int given[] = { pipe_fd, options->events_fd, options->output_fd,
		open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };

	(void)setsid();
	ignore_signals();
	if (!keep_only(given, sizeof(given) / sizeof(given[0])) ||
		chdir("/") < 0)
		_exit(EXIT_FAILURE);

	pid_t grandchild = fork();
	if (grandchild != 0)
		_exit(grandchild < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	syncer_main(options);
}

bool br_syncer_start(
	const struct br_syncer_options *options, int *fd, struct br_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int theirs = ends[0];
	br_autoclose int ours = ends[1];

	pid_t child = fork();
	if (child < 0)
		return br_fail_errno(err, "fork");
	if (child == 0)
		start_child(theirs, options);

	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (status != 0)
		return br_fail(err, BR_ESYSTEM, "the child did not start");
	*fd = br_take_fd(&ours);
	return true;
}
