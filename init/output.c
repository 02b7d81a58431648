/* SPDX-License-Identifier: MIT */
#include "init/output.h"

#include "init/fds.h"

void output_init(struct output *output, uint16_t stage)
{
	*output = (struct output){ .stage = stage };
	for (size_t i = 0; i < OUTPUT_STREAMS; i++)
		outpipe_init(&output->pipes[i]);
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		tty_init(&output->ttys[i]);
}

bool output_open(
	struct output *output, bool has_tty, bool is_attended, uid_t owner)
{
	output->has_tty = has_tty;
	if (has_tty)
		return tty_open(&output->ttys[TTY_OF_SHELL], is_attended,
			       owner) &&
			tty_open(&output->ttys[TTY_OF_PROGRAMS], is_attended,
				owner);
	return outpipe_open(&output->pipes[STREAM_OUT], owner) &&
		outpipe_open(&output->pipes[STREAM_ERR], owner);
}

int output_terminal(const struct output *output)
{
	return output->ttys[TTY_OF_PROGRAMS].master;
}

void output_resize(struct output *output, uint16_t columns, uint16_t rows)
{
	for (size_t i = 0; output->has_tty && i < OUTPUT_TTYS; i++)
		(void)tty_resize(&output->ttys[i], columns, rows);
}

void output_hand_on(
	const struct output *output, bool is_shell, struct spawn *spawn)
{
	size_t tty = is_shell ? TTY_OF_SHELL : TTY_OF_PROGRAMS;

	spawn->tty = output->ttys[tty].slave;
	spawn->out = output->pipes[STREAM_OUT].write_fd;
	spawn->err = output->pipes[STREAM_ERR].write_fd;
}

void output_poll(struct output *output, struct poller *poller, bool is_taken)
{
	for (size_t i = 0; i < OUTPUT_STREAMS; i++) {
		output->pipes[i].slot = POLLER_NO_SLOT;
		if (is_taken && !output->has_tty)
			outpipe_poll(&output->pipes[i], poller);
	}
	for (size_t i = 0; i < OUTPUT_TTYS; i++) {
		output->ttys[i].slot = POLLER_NO_SLOT;
		if (is_taken && output->has_tty)
			tty_poll(&output->ttys[i], poller);
	}
}

void output_pump(
	struct output *output, const struct poller *poller, struct wire *wire)
{
	for (size_t i = 0; i < OUTPUT_STREAMS; i++)
		outpipe_pump(&output->pipes[i], poller, wire, output->stage,
			(uint8_t)i);
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		tty_pump(&output->ttys[i], poller, wire, output->stage);
}

void output_begin_drain(struct output *output, struct wire *wire)
{
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		tty_begin_drain(&output->ttys[i]);
	for (size_t i = 0; !output->has_tty && i < OUTPUT_STREAMS; i++)
		outpipe_begin_drain(&output->pipes[i], wire);
}

bool output_drain(struct output *output, struct wire *wire)
{
	bool is_drained = true;

	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		is_drained = tty_drain(&output->ttys[i], wire, output->stage) &&
			is_drained;
	for (size_t i = 0; !output->has_tty && i < OUTPUT_STREAMS; i++)
		is_drained = outpipe_drain(&output->pipes[i], wire,
				     output->stage, (uint8_t)i) &&
			is_drained;
	return is_drained;
}

void output_tend(struct output *output)
{
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		tty_type_end(&output->ttys[i]);
}

void output_end(struct output *output)
{
	for (size_t i = 0; i < OUTPUT_STREAMS; i++)
		fds_close(&output->pipes[i].write_fd);
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		fds_close(&output->ttys[i].slave);
}

static void leave(struct leftovers *leftovers, int *fd)
{
	leftovers_add(leftovers, *fd);
	*fd = -1;
}

void output_leave(struct output *output, struct leftovers *leftovers)
{
	for (size_t i = 0; i < OUTPUT_STREAMS; i++)
		leave(leftovers, &output->pipes[i].read_fd);
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		leave(leftovers, &output->ttys[i].master);
}

void output_close(struct output *output)
{
	for (size_t i = 0; i < OUTPUT_STREAMS; i++)
		outpipe_close(&output->pipes[i]);
	for (size_t i = 0; i < OUTPUT_TTYS; i++)
		tty_close(&output->ttys[i]);
}
