/* SPDX-License-Identifier: MIT */
/* buildr-init's end of the wire: what goes out, in which order, and when not. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clean.h"
#include "init/wire.h"
#include "tests/support/folder.h"

enum {
	/* More than is copied, so that it is spliced. */
	LARGE_BYTES = 48 * 1024,
	PIECE_BYTES = 64 * 1024,
};

/* A wire to a socket, of which the test has the other end, and a step's output. */
struct line {
	struct wire wire;
	int peer;
	int pipe_read;
	int pipe_write;
};

static void line_open(struct line *line)
{
	int ends[2];
	int pipes[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	*line = (struct line){
		.peer = ends[1], .pipe_read = pipes[0], .pipe_write = pipes[1]
	};
	wire_open(&line->wire, ends[0], ends[0]);
}

static void line_close(struct line *line)
{
	free(line->wire.queue);
	(void)close(line->wire.out);
	(void)close(line->peer);
	(void)close(line->pipe_read);
	(void)close(line->pipe_write);
}

/* Byte N of what a step writes is the low byte of N. */
static void write_output(const struct line *line, size_t len)
{
	uint8_t data[LARGE_BYTES];

	assert_true(len <= sizeof(data));
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)i;
	assert_int_equal(write(line->pipe_write, data, len), len);
}

/* Read what has arrived at the peer. */
static void drain(int fd, struct br_buf *got)
{
	ssize_t n = 0;

	while ((n = read(fd, br_buf_room(got, PIECE_BYTES), PIECE_BYTES)) > 0)
		br_buf_grew(got, (size_t)n);
}

/* Take a frame off the front of `got`, from `*at` on; gives its length. */
static size_t next_frame(const struct br_buf *got, size_t *at,
	enum br_frame_type type, const uint8_t **payload)
{
	struct br_frame frame = { 0 };
	const uint8_t *data = (const uint8_t *)got->data + *at;

	assert_true(got->len - *at >= BR_FRAME_HEADER_BYTES);
	assert_true(br_frame_decode(data, &frame));
	assert_int_equal(frame.type, type);
	assert_true(got->len - *at - BR_FRAME_HEADER_BYTES >= frame.len);
	*at += BR_FRAME_HEADER_BYTES + frame.len;
	*payload = data + BR_FRAME_HEADER_BYTES;
	return frame.len;
}

static void expect_output(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != (uint8_t)i)
			fail_msg("byte %zu is %u", i, data[i]);
}

static void send_step(struct wire *wire, enum br_frame_type type)
{
	struct fields fields = { .len = 0 };

	fields_add_number(&fields, BR_TAG_STEP_NUMBER, 1);
	wire_send(wire, type, 1, fields.data, fields.len);
}

/* STEP_STARTED, `len` bytes of output, STEP_FINISHED, in this order. */
static void expect_step(const struct br_buf *got, size_t len)
{
	const uint8_t *payload = NULL;
	size_t at = 0;

	(void)next_frame(got, &at, BR_FRAME_STEP_STARTED, &payload);
	assert_int_equal(next_frame(got, &at, BR_FRAME_OUTPUT, &payload), len);
	expect_output(payload, len);
	(void)next_frame(got, &at, BR_FRAME_STEP_FINISHED, &payload);
	assert_int_equal(at, got->len);
}

static void sends_output_where_it_stands_between_frames(void **state)
{
	static const size_t sizes[] = { 1, 100, LARGE_BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct line line;
		br_autobuf struct br_buf got = { 0 };

		line_open(&line);
		write_output(&line, sizes[i]);
		send_step(&line.wire, BR_FRAME_STEP_STARTED);
		assert_true(wire_is_ready(&line.wire));
		wire_send_output(&line.wire, 1, 0, line.pipe_read, sizes[i]);
		send_step(&line.wire, BR_FRAME_STEP_FINISHED);
		assert_true(wire_is_waiting(&line.wire));
		wire_flush(&line.wire);
		assert_false(wire_is_waiting(&line.wire));
		drain(line.peer, &got);
		expect_step(&got, sizes[i]);
		line_close(&line);
	}
}

/* A file that is appended to takes no splice(), as a wire may not. */
static void copies_where_bytes_cannot_be_moved(void **state)
{
	char *folder = folder_make();
	br_autofree char *path = br_path_join(folder, "wire");
	br_autobuf struct br_buf got = { 0 };
	struct line line;
	struct wire wire;
	struct br_err err = { 0 };

	(void)state;
	line_open(&line);
	int out = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	wire_open(&wire, out, out);
	write_output(&line, LARGE_BYTES);
	send_step(&wire, BR_FRAME_STEP_STARTED);
	wire_send_output(&wire, 1, 0, line.pipe_read, LARGE_BYTES);
	send_step(&wire, BR_FRAME_STEP_FINISHED);
	wire_flush(&wire);
	assert_true(wire.is_copying);
	assert_false(wire.is_closed);
	if (!br_file_load(path, (size_t)2 * LARGE_BYTES, &got, &err))
		fail_msg("%s", err.text);
	expect_step(&got, LARGE_BYTES);
	free(wire.queue);
	(void)close(out);
	line_close(&line);
	folder_remove(folder);
}

/* A step can open its own output for reading. */
static void puts_zeros_for_output_that_was_taken_away(void **state)
{
	struct line line;
	br_autobuf struct br_buf got = { 0 };
	const uint8_t *payload = NULL;
	size_t at = 0;

	(void)state;
	line_open(&line);
	write_output(&line, LARGE_BYTES - 2);
	wire_send_output(&line.wire, 1, 0, line.pipe_read, LARGE_BYTES);
	wire_flush(&line.wire);
	assert_false(wire_is_waiting(&line.wire));
	drain(line.peer, &got);
	assert_int_equal(
		next_frame(&got, &at, BR_FRAME_OUTPUT, &payload), LARGE_BYTES);
	expect_output(payload, LARGE_BYTES - 2);
	assert_int_equal(payload[LARGE_BYTES - 2], 0);
	assert_int_equal(payload[LARGE_BYTES - 1], 0);
	line_close(&line);
}

/* Output that is lost without a word would be worse than an end. */
static void ends_where_output_cannot_be_read(void **state)
{
	struct line line;

	(void)state;
	line_open(&line);
	/* The end that can only be written to. */
	wire_send_output(&line.wire, 1, 0, line.pipe_write, 10);
	assert_true(line.wire.is_closed);
	assert_false(wire_is_ready(&line.wire));
	line_close(&line);
}

static void waits_where_the_wire_is_full_and_loses_nothing(void **state)
{
	enum { ROUNDS = 1000 };
	struct line line;
	br_autobuf struct br_buf got = { 0 };
	const uint8_t *payload = NULL;
	size_t sent_count = 0;
	size_t at = 0;

	(void)state;
	line_open(&line);
	while (!line.wire.is_full && sent_count < ROUNDS) {
		write_output(&line, LARGE_BYTES);
		wire_send_output(&line.wire, 1, 0, line.pipe_read, LARGE_BYTES);
		wire_flush(&line.wire);
		sent_count++;
	}
	assert_true(line.wire.is_full);
	assert_true(wire_is_waiting(&line.wire));
	assert_false(wire_is_ready(&line.wire));
	while (wire_is_waiting(&line.wire)) {
		drain(line.peer, &got);
		line.wire.is_full = false;
		wire_flush(&line.wire);
	}
	drain(line.peer, &got);
	for (size_t i = 0; i < sent_count; i++) {
		assert_int_equal(
			next_frame(&got, &at, BR_FRAME_OUTPUT, &payload),
			LARGE_BYTES);
		expect_output(payload, LARGE_BYTES);
	}
	assert_int_equal(at, got.len);
	line_close(&line);
}

static void is_over_when_the_other_end_is_gone(void **state)
{
	struct line line;
	uint8_t data[10];

	(void)state;
	line_open(&line);
	assert_int_equal(wire_read(&line.wire, data, sizeof(data)), -1);
	assert_int_equal(write(line.peer, "ab", 2), 2);
	assert_int_equal(wire_read(&line.wire, data, sizeof(data)), 2);
	(void)close(line.peer);
	line.peer = -1;
	assert_int_equal(wire_read(&line.wire, data, sizeof(data)), 0);
	send_step(&line.wire, BR_FRAME_STEP_STARTED);
	wire_flush(&line.wire);
	assert_true(line.wire.is_closed);
	/* A wire that cannot be read is over as well. */
	(void)close(line.wire.in);
	assert_int_equal(wire_read(&line.wire, data, sizeof(data)), 0);
	line.wire.out = -1;
	line_close(&line);
}

static void cuts_text_that_does_not_fit_a_frame(void **state)
{
	struct fields fields = { .len = 0 };
	struct br_field field = { 0 };
	char text[2 * sizeof(fields.data)];
	bool is_bad = false;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fields_add_text(&fields, BR_TAG_FAILURE, text);
	/* No room is left, not even for a header. */
	fields_add_number(&fields, BR_TAG_STATUS, 1);
	assert_int_equal(fields.len, sizeof(fields.data));
	const uint8_t *at = fields.data;
	assert_true(
		br_field_next(&at, fields.data + fields.len, &field, &is_bad));
	assert_int_equal(field.tag, BR_TAG_FAILURE);
	assert_int_equal(field.len, fields.len - BR_FIELD_HEADER_BYTES);
	assert_false(
		br_field_next(&at, fields.data + fields.len, &field, &is_bad));
	assert_false(is_bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_output_where_it_stands_between_frames),
		cmocka_unit_test(copies_where_bytes_cannot_be_moved),
		cmocka_unit_test(puts_zeros_for_output_that_was_taken_away),
		cmocka_unit_test(ends_where_output_cannot_be_read),
		cmocka_unit_test(
			waits_where_the_wire_is_full_and_loses_nothing),
		cmocka_unit_test(is_over_when_the_other_end_is_gone),
		cmocka_unit_test(cuts_text_that_does_not_fit_a_frame),
	};

	/* As init does. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
