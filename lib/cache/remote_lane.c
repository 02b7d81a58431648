/* SPDX-License-Identifier: MIT */
#include "cache/remote_lane.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/exchange.h"
#include "cache/remote_work.h"
#include "cache/store.h"

void br_lane_add(struct br_lane *lane, const uint8_t identity[BR_HASH_BYTES])
{
	lane->identities = br_grow(lane->identities, lane->count,
		&lane->capacity, sizeof(*lane->identities));
	memcpy(lane->identities[lane->count++], identity, BR_HASH_BYTES);
}

/* The process. */

struct worker {
	const struct br_lane *lane;
	int fd;
	struct br_client *client;
	struct br_store *store;
};

static bool get_ready(struct worker *worker, struct br_err *err)
{
	const struct br_lane *lane = worker->lane;

	return (worker->store ||
		       br_store_open(
			       lane->store_folder, &worker->store, err)) &&
		(worker->client ||
			br_client_open(lane->place, &worker->client, err));
}

static void do_one(struct worker *worker, const uint8_t identity[BR_HASH_BYTES],
	struct br_lane_message *message)
{
	bool is_there = false;
	bool is_good = get_ready(worker, &message->err) &&
		(worker->lane->is_push ? br_remote_work_push(worker->client,
						 worker->store, identity,
						 &message->err)
				       : br_remote_work_fetch(worker->client,
						 worker->store, identity,
						 &is_there, &message->err));

	message->answer = is_there ? BR_LANE_THERE : BR_LANE_MISSING;
	if (!is_good)
		message->answer = BR_LANE_FAILED;
}

/* What belongs to the build is closed, or its other ends would never see its end. */
static void let_go(int fd)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	if (fd > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	(void)close_range((unsigned)fd + 1, ~0U, 0);
}

static void worker_main(const void *ctx, int fd)
{
	struct worker worker = { .lane = ctx, .fd = fd };
	uint8_t identity[BR_HASH_BYTES];

	let_go(fd);
	for (;;) {
		struct br_lane_message message = { 0 };
		ssize_t len = recv(fd, identity, sizeof(identity), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len != (ssize_t)sizeof(identity))
			return;
		do_one(&worker, identity, &message);
		if (send(fd, &message, sizeof(message), MSG_NOSIGNAL) < 0)
			return;
	}
}

/* Whoever runs the build. */

bool br_lane_ask(struct br_lane *lane, struct br_err *err)
{
	if (lane->is_asked || lane->count == 0)
		return true;
	if (lane->child.pid == 0 &&
		!br_child_start(worker_main, lane, &lane->child, err))
		return false;
	/* One at a time always fits; a process that is gone is heard of. */
	(void)!send(lane->child.fd, lane->identities[0], BR_HASH_BYTES,
		MSG_NOSIGNAL);
	lane->is_asked = true;
	return true;
}

bool br_lane_hear(struct br_lane *lane, uint8_t identity[BR_HASH_BYTES],
	struct br_lane_message *message)
{
	ssize_t len = lane->child.fd >= 0 && lane->is_asked
		? recv(lane->child.fd, message, sizeof(*message), MSG_DONTWAIT)
		: -1;

	if (len < 0 && (!lane->is_asked || errno == EAGAIN || errno == EINTR))
		return false;
	if (len != (ssize_t)sizeof(*message)) {
		message->answer = BR_LANE_FAILED;
		(void)br_fail(&message->err, BR_EUNAVAIL,
			"the process that speaks to the remote cache has "
			"ended");
	}
	memcpy(identity, lane->identities[0], BR_HASH_BYTES);
	lane->count--;
	memmove(lane->identities, lane->identities + 1,
		lane->count * sizeof(*lane->identities));
	lane->is_asked = false;
	return true;
}

bool br_lane_is_lost(const struct br_lane *lane)
{
	char byte = 0;

	return lane->child.fd >= 0 && !lane->is_asked &&
		recv(lane->child.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void br_lane_close(struct br_lane *lane)
{
	br_child_end(&lane->child);
	free(lane->identities);
	*lane = (struct br_lane){
		.place = lane->place,
		.store_folder = lane->store_folder,
		.is_push = lane->is_push,
		.child = BR_CHILD_NONE,
	};
}
