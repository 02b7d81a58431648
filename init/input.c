/* SPDX-License-Identifier: MIT */
#include "init/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/fds.h"
#include "init/mem.h"

void input_init(struct input *input)
{
	*input = (struct input){
		.fd = -1, .read_fd = -1, .slot = POLLER_NO_SLOT
	};
}

static void open_at(struct input *input, int fd)
{
	input->fd = fd;
	input->data = mem_new(BR_INPUT_WINDOW_BYTES);
}

void input_open_terminal(struct input *input, int master)
{
	open_at(input, master);
}

bool input_open_pipe(struct input *input, uid_t owner)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	/* It could not open /dev/stdin else. */
	if (owner != 0)
		(void)!fchown(ends[0], owner, (gid_t)-1);
	input->read_fd = ends[0];
	input->is_pipe = true;
	open_at(input, ends[1]);
	return true;
}

int input_hand_on(const struct input *input)
{
	return input->read_fd;
}

void input_forget(struct input *input)
{
	fds_close(&input->read_fd);
}

bool input_feed(struct input *input, const uint8_t *data, size_t len)
{
	if (!input->data || input->has_ended ||
		len > BR_INPUT_WINDOW_BYTES - input->len)
		return false;
	if (len == 0) {
		input->has_ended = true;
		return true;
	}
	memcpy(input->data + input->len, data, len);
	input->len += len;
	return true;
}

/* Nobody reads it any more: whatever comes is thrown away. */
static void drop_reader(struct input *input)
{
	if (input->is_pipe)
		fds_close(&input->fd);
	input->fd = -1;
}

/* Write once; gives how much is off our hands. */
static size_t write_some(struct input *input)
{
	ssize_t n;

	if (input->fd < 0)
		return input->len;
	do
		n = write(input->fd, input->data, input->len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN) {
		drop_reader(input);
		return input->len;
	}
	return n < 0 ? 0 : (size_t)n;
}

void input_poll(struct input *input, struct poller *poller)
{
	input->slot = POLLER_NO_SLOT;
	if (input->len > 0)
		input->slot = poller_add(poller, input->fd, POLLOUT);
}

static void say_taken(struct wire *wire, uint16_t stage, size_t count)
{
	struct fields fields = { .len = 0 };

	fields_add_number(&fields, BR_TAG_COUNT, count);
	wire_send(wire, BR_FRAME_INPUT_TAKEN, stage, fields.data, fields.len);
}

void input_work(struct input *input, const struct poller *poller,
	struct wire *wire, uint16_t stage)
{
	bool may_write = input->slot == POLLER_NO_SLOT ||
		poller_is_ready(poller, input->slot);

	if (input->len > 0 && may_write) {
		size_t n = write_some(input);

		input->len -= n;
		memmove(input->data, input->data + n, input->len);
		if (n > 0)
			say_taken(wire, stage, n);
	}
	if (input->has_ended && input->len == 0 && input->fd >= 0)
		drop_reader(input);
}

void input_close(struct input *input)
{
	if (input->fd >= 0)
		drop_reader(input);
	fds_close(&input->read_fd);
	free(input->data);
	input_init(input);
}
