/* SPDX-License-Identifier: MIT */
#include "cache/remote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cache/remote_lane.h"

enum lane { LANE_FETCH, LANE_PUSH };
enum { LANES = 2 };

struct br_remote {
	struct br_remote_place place;
	char *store_folder;
	bool is_read_only;
	bool is_left_out;
	/* Of the failure, until it is told. */
	struct br_err failure;
	int epoll_fd;
	/* Wakes who polls when there is a failure to tell of. */
	int alarm_fd;
	struct br_lane lanes[LANES];
};

static char *copy(const char *text)
{
	return text ? br_strdup(text) : NULL;
}

static bool watch(const struct br_remote *remote, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(remote->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool br_remote_open(const struct br_remote_options *options,
	struct br_remote **remote, struct br_err *err)
{
	br_auto(br_remote) struct br_remote *opened = br_alloc(sizeof(*opened));

	for (int i = 0; i < LANES; i++)
		opened->lanes[i].child = BR_CHILD_NONE;
	opened->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	opened->alarm_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (opened->epoll_fd < 0 || opened->alarm_fd < 0 ||
		!watch(opened, opened->alarm_fd))
		return br_fail_errno(err, "watch the remote cache");
	if (!br_remote_place_parse(options->url, &opened->place, err))
		return false;
	opened->place.token = copy(options->token);
	opened->place.ca_file = copy(options->ca_file);
	opened->store_folder = br_strdup(options->store_folder);
	opened->is_read_only = options->is_read_only;
	for (int i = 0; i < LANES; i++) {
		opened->lanes[i].place = &opened->place;
		opened->lanes[i].store_folder = opened->store_folder;
		opened->lanes[i].is_push = i == LANE_PUSH;
	}
	*remote = br_take_ptr(&opened);
	return true;
}

void br_remote_free(struct br_remote *remote)
{
	if (!remote)
		return;
	for (int i = 0; i < LANES; i++)
		br_lane_close(&remote->lanes[i]);
	if (remote->epoll_fd >= 0)
		(void)close(remote->epoll_fd);
	if (remote->alarm_fd >= 0)
		(void)close(remote->alarm_fd);
	br_remote_place_done(&remote->place);
	free(remote->store_folder);
	free(remote);
}

static bool ask(
	struct br_remote *remote, struct br_lane *lane, struct br_err *err)
{
	bool is_new = lane->child.pid == 0;

	if (!br_lane_ask(lane, err))
		return false;
	if (is_new && lane->child.pid != 0 && !watch(remote, lane->child.fd))
		return br_fail_errno(err, "watch the remote cache");
	return true;
}

/* The warning waits for br_remote_work(), where somebody hears it. */
static void leave_out(struct br_remote *remote, const struct br_err *why)
{
	if (remote->is_left_out)
		return;
	remote->failure = *why;
	remote->is_left_out = true;
	(void)eventfd_write(remote->alarm_fd, 1);
}

bool br_remote_fetch(
	struct br_remote *remote, const uint8_t identity[BR_HASH_BYTES])
{
	struct br_lane *lane = &remote->lanes[LANE_FETCH];
	struct br_err err = { 0 };

	if (remote->is_left_out)
		return false;
	br_lane_add(lane, identity);
	if (ask(remote, lane, &err))
		return true;
	leave_out(remote, &err);
	/* Of those before it, br_remote_work() tells. */
	lane->count--;
	return false;
}

void br_remote_push(
	struct br_remote *remote, const uint8_t identity[BR_HASH_BYTES])
{
	struct br_lane *lane = &remote->lanes[LANE_PUSH];
	struct br_err err = { 0 };

	if (remote->is_left_out || remote->is_read_only)
		return;
	br_lane_add(lane, identity);
	if (!ask(remote, lane, &err))
		leave_out(remote, &err);
}

int br_remote_fd(const struct br_remote *remote)
{
	return remote->epoll_fd;
}

/* Once. */
static void tell_failure(
	struct br_remote *remote, const struct br_remote_handlers *handlers)
{
	struct br_err failure = remote->failure;

	remote->failure = (struct br_err){ 0 };
	if (failure.code != BR_OK)
		handlers->left_out(handlers->ctx, failure.text);
}

/* Not watched first: whoever was forked meanwhile has the descriptor too. */
static void end_lane(const struct br_remote *remote, struct br_lane *lane)
{
	if (lane->child.fd >= 0)
		(void)epoll_ctl(
			remote->epoll_fd, EPOLL_CTL_DEL, lane->child.fd, NULL);
	br_lane_close(lane);
}

static void hear(struct br_remote *remote, struct br_lane *lane,
	const struct br_remote_handlers *handlers)
{
	struct br_lane_message message = { 0 };
	uint8_t identity[BR_HASH_BYTES];
	struct br_err err = { 0 };

	/* The next result has another process made. */
	if (br_lane_is_lost(lane))
		end_lane(remote, lane);
	while (!remote->is_left_out && br_lane_hear(lane, identity, &message)) {
		if (message.answer == BR_LANE_FAILED)
			leave_out(remote, &message.err);
		else if (!ask(remote, lane, &err))
			leave_out(remote, &err);
		tell_failure(remote, handlers);
		if (!lane->is_push)
			handlers->fetched(handlers->ctx, identity,
				message.answer == BR_LANE_THERE);
	}
}

/* Tell of the failure, and then of everything that was waited for. */
static void give_up(
	struct br_remote *remote, const struct br_remote_handlers *handlers)
{
	struct br_lane *lane = &remote->lanes[LANE_FETCH];
	eventfd_t count = 0;

	(void)eventfd_read(remote->alarm_fd, &count);
	tell_failure(remote, handlers);
	for (size_t i = 0; i < lane->count; i++)
		handlers->fetched(handlers->ctx, lane->identities[i], false);
	for (int i = 0; i < LANES; i++)
		end_lane(remote, &remote->lanes[i]);
}

void br_remote_work(
	struct br_remote *remote, const struct br_remote_handlers *handlers)
{
	for (int i = 0; i < LANES; i++)
		hear(remote, &remote->lanes[i], handlers);
	if (remote->is_left_out)
		give_up(remote, handlers);
}

bool br_remote_is_busy(const struct br_remote *remote)
{
	return remote->lanes[LANE_FETCH].count > 0 ||
		br_remote_is_sending(remote);
}

bool br_remote_is_sending(const struct br_remote *remote)
{
	return remote->failure.code != BR_OK ||
		remote->lanes[LANE_PUSH].count > 0;
}
