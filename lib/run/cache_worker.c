/* SPDX-License-Identifier: MIT */
#include "run/cache_worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

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

static void worker_main(const void *ctx, int fd)
{
	struct br_cache_work *work = NULL;
	struct br_err ignored = { 0 };

	if (br_cache_work_open(ctx, &work, &ignored))
		while (answer_next(fd, work))
			continue;
}

bool br_cache_worker_open(const struct br_cache_worker_options *options,
	struct br_cache_worker *worker, struct br_err *err)
{
	return br_child_start(worker_main, options, &worker->child, err);
}

bool br_cache_worker_ask(const struct br_cache_worker *worker,
	const struct br_cache_request *request, int tape_fd, struct br_err *err)
{
	return send_request(worker->child.fd, request, tape_fd) ||
		br_fail_errno(err, "ask the process of the stage cache");
}

bool br_cache_worker_read(const struct br_cache_worker *worker,
	struct br_cache_answer *answer, bool *is_there, struct br_err *err)
{
	ssize_t n =
		recv(worker->child.fd, answer, sizeof(*answer), MSG_DONTWAIT);

	*is_there = n == (ssize_t)sizeof(*answer);
	if (*is_there || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	return br_fail(
		err, BR_EUNAVAIL, "the process of the stage cache has ended");
}

void br_cache_worker_close(struct br_cache_worker *worker)
{
	br_child_end(&worker->child);
}
