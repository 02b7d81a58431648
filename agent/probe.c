/* SPDX-License-Identifier: MIT */
#include "agent/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"

/* What the child says where nothing is wrong; saying nothing is wrong too. */
static const char all_well[] = "well";

/* Nothing of the agent's is the child's but the pipe and stderr. */
static int keep_only(int fd)
{
	enum { KEPT = STDERR_FILENO + 1 };

	if ((fd != KEPT && dup2(fd, KEPT) < 0) ||
		close_range(KEPT + 1, ~0U, 0) < 0 ||
		fcntl(KEPT, F_SETFD, FD_CLOEXEC) < 0)
		_exit(1);
	return KEPT;
}

BR_NORETURN static void probe_main(const struct agent_options *options,
	probe_fn *look, int fd, pid_t agent)
{
	struct br_err err = { 0 };
	struct br_err ignored = { 0 };
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != agent)
		_exit(1);
	/* A signal of the terminal is the agent's. */
	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	fd = keep_only(fd);

	const char *said = look(options, &err) ? all_well : err.text;
	(void)!br_file_write(fd, said, strlen(said), &ignored);
	_exit(0);
}

bool probe_start(const struct agent_options *options, probe_fn *look,
	int64_t time_ms, struct probe *probe, struct br_err *err)
{
	pid_t agent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int read_fd = ends[0];
	br_autoclose int write_fd = ends[1];

	pid_t child = fork();
	if (child < 0)
		return br_fail_errno(err, "start a process");
	if (child == 0)
		probe_main(options, look, write_fd, agent);
	(void)fcntl(read_fd, F_SETFL, O_NONBLOCK);
	*probe = (struct probe){
		.pid = child,
		.fd = br_take_fd(&read_fd),
		.deadline_ms = br_clock_now_ms() + time_ms,
	};
	return true;
}

bool probe_end(struct probe *probe, struct br_err *err)
{
	char data[sizeof(err->text)];
	ssize_t n = 0;

	while ((n = read(probe->fd, data, sizeof(data))) > 0)
		if (probe->said.len < sizeof(data))
			br_buf_add(&probe->said, data, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (br_clock_now_ms() < probe->deadline_ms)
			return false;
		(void)br_fail(err, BR_ETIMEDOUT,
			"looking at the engine, git and the work directory "
			"takes too long");
	} else if (probe->said.len == 0) {
		(void)br_fail(err, BR_ESYSTEM,
			"looking at the engine, git and the work directory "
			"broke off");
	} else if (!br_str_is(br_buf_str(&probe->said), all_well)) {
		(void)br_fail(
			err, BR_EUNAVAIL, "%s", br_buf_text(&probe->said));
	}
	probe_stop(probe);
	return true;
}

void probe_stop(struct probe *probe)
{
	if (probe->fd < 0)
		return;
	(void)kill(probe->pid, SIGKILL);
	while (waitpid(probe->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	(void)close(br_take_fd(&probe->fd));
	br_buf_done(&probe->said);
	probe->pid = 0;
	probe->deadline_ms = -1;
}
