/* SPDX-License-Identifier: MIT */
#include "run/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Also at its end, which epoll reports as well. */
static bool is_readable(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&wait, 1, 0) > 0 && wait.revents != 0;
}

static bool watch(const struct br_stop *stop, int fd, struct br_err *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(stop->fd, EPOLL_CTL_ADD, fd, &event) == 0 ||
		br_fail_errno(err, "watch for requests to stop");
}

static bool start_timer(
	struct br_stop *stop, int64_t timeout_ms, struct br_err *err)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = timeout_ms / 1000,
			.tv_nsec = timeout_ms % 1000 * 1000000 },
	};

	stop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (stop->timer_fd < 0 ||
		timerfd_settime(stop->timer_fd, 0, &when, NULL) < 0)
		return br_fail_errno(err, "start the timer of the build");
	return watch(stop, stop->timer_fd, err);
}

bool br_stop_open(int cancel_fd, int64_t timeout_ms, struct br_stop *stop,
	struct br_err *err)
{
	struct br_stop opened = { .timer_fd = -1, .cancel_fd = cancel_fd };

	opened.fd = epoll_create1(EPOLL_CLOEXEC);
	if (opened.fd < 0)
		return br_fail_errno(err, "watch for requests to stop");
	if ((cancel_fd >= 0 && !watch(&opened, cancel_fd, err)) ||
		(timeout_ms > 0 && !start_timer(&opened, timeout_ms, err))) {
		br_stop_close(&opened);
		return false;
	}
	*stop = opened;
	return true;
}

static bool take_request(struct br_stop *stop)
{
	unsigned char number = 0;
	ssize_t n = read(stop->cancel_fd, &number, 1);

	if (n < 0 && errno == EINTR)
		return true;
	if (n != 1) {
		/* Nobody can ask any more. */
		(void)epoll_ctl(stop->fd, EPOLL_CTL_DEL, stop->cancel_fd, NULL);
		stop->cancel_fd = -1;
		return false;
	}
	if (stop->request_count == 0)
		stop->signal = number == SIGINT ? SIGINT : SIGTERM;
	stop->request_count++;
	return true;
}

bool br_stop_look(struct br_stop *stop)
{
	bool has_come = false;

	while (is_readable(stop->cancel_fd) && take_request(stop))
		has_come = true;
	if (is_readable(stop->timer_fd)) {
		(void)epoll_ctl(stop->fd, EPOLL_CTL_DEL, stop->timer_fd, NULL);
		(void)close(stop->timer_fd);
		stop->timer_fd = -1;
		stop->is_timed_out = true;
		has_come = true;
	}
	return has_come;
}

void br_stop_pause(struct br_stop *stop, bool is_paused)
{
	enum { SECOND_NS = 1000000000 };
	struct itimerspec when = { 0 };

	if (stop->timer_fd < 0 || stop->is_paused == is_paused)
		return;
	if (!is_paused) {
		when.it_value.tv_sec = stop->left_ns / SECOND_NS;
		when.it_value.tv_nsec = stop->left_ns % SECOND_NS;
	}

	struct itimerspec before = { 0 };
	if (timerfd_settime(stop->timer_fd, 0, &when, &before) < 0)
		return;
	stop->is_paused = is_paused;
	stop->left_ns =
		before.it_value.tv_sec * SECOND_NS + before.it_value.tv_nsec;
	/* It ran out at the last moment: zero would switch the timer off. */
	if (stop->left_ns == 0)
		stop->left_ns = 1;
}

bool br_stop_is_asked(const struct br_stop *stop)
{
	return stop->request_count > 0 || stop->is_timed_out;
}

void br_stop_close(struct br_stop *stop)
{
	if (stop->timer_fd >= 0)
		(void)close(stop->timer_fd);
	if (stop->fd >= 0)
		(void)close(stop->fd);
	*stop = (struct br_stop){ .fd = -1, .cancel_fd = -1, .timer_fd = -1 };
}
