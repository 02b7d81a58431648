/* SPDX-License-Identifier: MIT */
#include "cmd/rerun/rerun_build.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "cmd/commands.h"

/* In the child: what it must not have of a process that watches. */
static bool become_build(pid_t watcher)
{
	br_autoclose int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)signal(SIGTTIN, SIG_DFL);
	/* The watcher may be gone before it could be said what happens then. */
	return nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
		prctl(PR_SET_PDEATHSIG, BUILD_TERMINATE) == 0 &&
		getppid() == watcher &&
		sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

bool rerun_build_start(const struct options *options,
	const struct br_plan_names *changed, pid_t *pid, struct br_err *err)
{
	pid_t watcher = getpid();

	/* What is still to be written must not be written by both. */
	(void)fflush(NULL);
	*pid = fork();
	if (*pid < 0)
		return br_fail_errno(err, "start a build");
	if (*pid > 0)
		return true;

	struct options own = *options;
	own.is_watch = false;
	own.is_watched = true;
	own.changed = changed;
	exit(become_build(watcher) ? cmd_run(&own) : STATUS_ENVIRONMENT);
}

void rerun_build_stop(pid_t pid, int number)
{
	(void)kill(pid, number == SIGINT ? BUILD_INTERRUPT : BUILD_TERMINATE);
}

int rerun_build_status(pid_t pid)
{
	int status = 0;
	pid_t ended = -1;

	do
		ended = waitpid(pid, &status, WNOHANG);
	while (ended < 0 && errno == EINTR);
	if (ended == 0)
		return -1;
	if (ended < 0)
		return STATUS_ENVIRONMENT;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
