/* SPDX-License-Identifier: MIT */
#include "run/cache_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "run/cache_work.h"

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_request(
	int fd, const struct br_cache_request *request, int tape_fd)
{
	union control control = { 0 };
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	void *what = (void *)(uintptr_t)request;
	struct iovec bytes = { what, sizeof(*request) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t n = 0;

	if (tape_fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);

		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(tape_fd));
		memcpy(CMSG_DATA(header), &tape_fd, sizeof(tape_fd));
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*request);
}

/* Wait for the next request. False: the parent has gone. */
static bool receive_request(
	int fd, struct br_cache_request *request, int *tape_fd)
{
	union control control = { 0 };
	struct iovec bytes = { request, sizeof(*request) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = 0;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);

	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*tape_fd = -1;
	if (n > 0 && header && header->cmsg_type == SCM_RIGHTS)
		memcpy(tape_fd, CMSG_DATA(header), sizeof(*tape_fd));
	return n == (ssize_t)sizeof(*request);
}

static bool answer_next(int fd, struct br_cache_work *work)
{
	struct br_cache_request request;
	struct br_cache_answer answer = { 0 };
	br_autoclose int tape_fd = -1;

	if (!receive_request(fd, &request, &tape_fd))
		return false;
	answer.stage = request.stage;
	br_cache_work_do(work, &request, tape_fd, &answer);
	return send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) ==
		(ssize_t)sizeof(answer);
}

BR_NORETURN static void worker_main(
	const struct br_cache_worker_options *options, int fd, pid_t parent)
{
	struct br_cache_work *work = NULL;
	struct br_err ignored = { 0 };

	/* The parent ends it, and a signal of the terminal is the parent's. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	(void)setsid();
	if (br_cache_work_open(options, &work, &ignored))
		while (answer_next(fd, work))
			continue;
	_exit(EXIT_SUCCESS);
}

bool br_cache_worker_open(const struct br_cache_worker_options *options,
	struct br_cache_worker *worker, struct br_err *err)
{
	int ends[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return br_fail_errno(err, "make a socket");
	br_autoclose int ours = ends[0];
	br_autoclose int theirs = ends[1];

	pid_t child = fork();
	if (child < 0)
		return br_fail_errno(err, "start a process");
	if (child == 0) {
		(void)close(br_take_fd(&ours));
		worker_main(options, theirs, parent);
	}
	*worker = (struct br_cache_worker){ child, br_take_fd(&ours) };
	return true;
}

bool br_cache_worker_ask(const struct br_cache_worker *worker,
	const struct br_cache_request *request, int tape_fd, struct br_err *err)
{
	return send_request(worker->fd, request, tape_fd) ||
		br_fail_errno(err, "ask the process of the stage cache");
}

bool br_cache_worker_read(const struct br_cache_worker *worker,
	struct br_cache_answer *answer, bool *is_there, struct br_err *err)
{
	ssize_t n = recv(worker->fd, answer, sizeof(*answer), MSG_DONTWAIT);

	*is_there = n == (ssize_t)sizeof(*answer);
	if (*is_there || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	return br_fail(
		err, BR_EUNAVAIL, "the process of the stage cache has ended");
}

void br_cache_worker_close(struct br_cache_worker *worker)
{
	if (worker->fd >= 0)
		(void)close(br_take_fd(&worker->fd));
	if (worker->pid <= 0)
		return;
	/* It may have children of its own, or may not yet be the first of its group. */
	(void)kill(-worker->pid, SIGKILL);
	(void)kill(worker->pid, SIGKILL);
	while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	worker->pid = 0;
}
