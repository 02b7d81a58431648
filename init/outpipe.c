/* SPDX-License-Identifier: MIT */
#include "init/outpipe.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/fds.h"

enum {
	SHORT_READ_BYTES = 32 * 1024,
	REST_US = 100,
};

void outpipe_init(struct outpipe *pipe)
{
	*pipe = (struct outpipe){
		.read_fd = -1, .write_fd = -1, .slot = POLLER_NO_SLOT
	};
}

bool outpipe_open(struct outpipe *pipe, uid_t owner)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pipe->read_fd = ends[0];
	pipe->write_fd = ends[1];
	/* Only this end: the other one is the steps'. */
	(void)fcntl(pipe->read_fd, F_SETFL, O_NONBLOCK);
	(void)fcntl(pipe->read_fd, F_SETPIPE_SZ, BR_OUTPUT_MAX_BYTES);
	/* They could not open /dev/stderr else; what only writes can do without. */
	if (owner != 0)
		(void)fchown(pipe->write_fd, owner, (gid_t)-1);
	return true;
}

void outpipe_poll(struct outpipe *pipe, struct poller *poller)
{
	if (clock_now_us() < pipe->rests_until_us)
		poller_wake_at(poller, pipe->rests_until_us);
	else
		pipe->slot = poller_add(poller, pipe->read_fd, POLLIN);
}

/* Where that is not known, output would be lost without a word: the end. */
static size_t fill(const struct outpipe *pipe, struct wire *wire)
{
	int n = 0;

	if (ioctl(pipe->read_fd, FIONREAD, &n) < 0)
		wire->is_closed = true;
	return n < 0 ? 0 : (size_t)n;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

void outpipe_pump(struct outpipe *pipe, const struct poller *poller,
	struct wire *wire, uint16_t stage, uint8_t stream)
{
	if (!poller_is_ready(poller, pipe->slot) || !wire_is_ready(wire))
		return;

	size_t len = min_size(fill(pipe, wire), BR_OUTPUT_MAX_BYTES);
	if (len == 0)
		return;
	wire_send_output(wire, stage, stream, pipe->read_fd, len);
	if (len < SHORT_READ_BYTES)
		pipe->rests_until_us = clock_now_us() + REST_US;
}

void outpipe_begin_drain(struct outpipe *pipe, struct wire *wire)
{
	size_t promised =
		wire->payload_fd == pipe->read_fd ? wire->payload_left : 0;
	size_t len = fill(pipe, wire);

	pipe->drain_left = len > promised ? len - promised : 0;
}

bool outpipe_drain(
	struct outpipe *pipe, struct wire *wire, uint16_t stage, uint8_t stream)
{
	while (pipe->drain_left > 0 && wire_is_ready(wire)) {
		size_t len = min_size(pipe->drain_left, BR_OUTPUT_MAX_BYTES);

		wire_send_output(wire, stage, stream, pipe->read_fd, len);
		wire_flush(wire);
		pipe->drain_left -= len;
	}
	/* A payload in progress is still in the pipe. */
	return pipe->drain_left == 0 &&
		(wire->payload_left == 0 || wire->payload_fd != pipe->read_fd);
}

void outpipe_close(struct outpipe *pipe)
{
	fds_close(&pipe->read_fd);
	fds_close(&pipe->write_fd);
}
