/* SPDX-License-Identifier: MIT */
/* Attaching: what is a stream and what is not, and what ends it. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/attach.h"
#include "tests/fault/fixture.h"

#define UPGRADED \
	"HTTP/1.1 101 UPGRADED\r\n" \
	"Content-Type: application/vnd.docker.raw-stream\r\n" \
	"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

static bool collect(
	void *ctx, const uint8_t *data, size_t len, struct br_err *err)
{
	(void)err;
	br_buf_add(ctx, data, len);
	return true;
}

/* Read to the end of the stream, or to what fails. */
static bool read_all(
	struct br_attach *attach, struct br_buf *output, struct br_err *err)
{
	bool is_over = false;

	while (!is_over) {
		struct pollfd wait = { .fd = br_attach_fd(attach),
			.events = POLLIN };

		assert_int_equal(poll(&wait, 1, 60 * 1000), 1);
		if (!br_attach_read(
			    attach, 4096, collect, output, &is_over, err))
			return false;
	}
	return true;
}

/* Attach, where the answer is `answer`, and read what comes. */
static bool attach_to(const char *answer, size_t len, size_t cut,
	struct br_buf *output, struct br_err *err)
{
	const struct scripted_rule rules[] = {
		PING,
		{ .request = "POST /v1.41/containers/" ID
			     "/attach?stream=1&stdin=1&stdout=1&stderr=1 ",
			.body = answer,
			.body_len = len },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	struct br_attach *attach = NULL;
	struct br_err why = { 0 };

	scripted_start(&server, rules);
	struct br_engine *engine = open_engine(&server);
	assert_true(call_describe(engine, &why));
	*server.cut = cut;
	bool is_good = br_engine_attach(engine, ID, &attach, err) &&
		read_all(attach, output, err);
	br_attach_close(attach);
	br_engine_free(engine);
	scripted_stop(&server);
	return is_good;
}

static void assert_attach_fails(
	const char *answer, size_t len, enum br_code code, const char *part)
{
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };

	assert_false(attach_to(answer, len, SIZE_MAX, &output, &err));
	if (err.code != code)
		fail_msg("code %d: %s", (int)err.code, err.text);
	assert_part(err.text, part);
}

static const char frames[] = UPGRADED "\1\0\0\0\0\0\0\5hello"
				      "\1\0\0\0\0\0\0\0"
				      "\0\0\0\0\0\0\0\1!";

static void gives_what_was_written_to_stdout(void **state)
{
	static const char by_proxy[] = "HTTP/1.1 200 OK\r\n\r\n\1\0\0\0\0\0\0\3"
				       "200";
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(
		attach_to(frames, sizeof(frames) - 1, SIZE_MAX, &output, &err));
	assert_string_equal(br_buf_text(&output), "hello!");
	br_buf_clear(&output);
	assert_true(attach_to(
		by_proxy, sizeof(by_proxy) - 1, SIZE_MAX, &output, &err));
	assert_string_equal(br_buf_text(&output), "200");
}

static void takes_no_stream_that_was_cut_for_a_whole_one(void **state)
{
	size_t head = strlen(UPGRADED);

	(void)state;
	for (size_t cut = 0; cut < sizeof(frames) - 1; cut++) {
		br_autobuf struct br_buf output = { 0 };
		struct br_err err = { 0 };
		/* Between two frames nothing is missing. */
		bool is_whole =
			cut == head || cut == head + 13 || cut == head + 21;

		if (attach_to(frames, sizeof(frames) - 1, cut, &output, &err) !=
			is_whole)
			fail_msg("cut at %zu: %s", cut, err.text);
	}
}

static void ends_with_what_is_no_output(void **state)
{
	static const char of_engine[] = UPGRADED "\3\0\0\0\0\0\0\4oh\nno";
	static const char of_runtime[] =
		UPGRADED "\2\0\0\0\0\0\0\3exec: no such file";
	static const char unknown[] = UPGRADED "\7\0\0\0\0\0\0\1x";

	(void)state;
	assert_attach_fails(of_engine, sizeof(of_engine) - 1, BR_EPROTO,
		"the engine says: oh n");
	assert_attach_fails(of_runtime, sizeof(of_runtime) - 1, BR_EPROTO,
		"the container says: exe");
	assert_attach_fails(unknown, sizeof(unknown) - 1, BR_EPROTO,
		"unknown output channel 7");
}

static void tells_why_it_cannot_attach(void **state)
{
	(void)state;
	assert_attach_fails("HTTP/1.1 404 Not Found\r\nContent-Length: 20\r\n"
			    "\r\n{\"message\":\"no one\"}",
		0, BR_ENOTFOUND,
		"attach to the container: the engine says: no");
	assert_attach_fails(
		"HTTP/1.1 409 Conflict\r\n\r\n", 0, BR_EUNAVAIL, "status 409");
	assert_attach_fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			    "\r\n",
		0, BR_EPROTO, "a proxy before the engine");
	assert_attach_fails("SSH-2.0-x\r\n\r\n", 0, BR_EPROTO, "is no HTTP");
	assert_attach_fails("HTTP/1.1 x\r\n\r\n", 0, BR_EPROTO, "is no HTTP");
	assert_attach_fails(
		"HTTP/1.1 101", 0, BR_EUNAVAIL, "without an answer");
}

static void refuses_a_head_without_end(void **state)
{
	br_autobuf struct br_buf head = { 0 };

	(void)state;
	br_buf_add_text(&head, "HTTP/1.1 101 UPGRADED\r\n");
	while (head.len < (size_t)64 * 1024)
		br_buf_add_text(&head, "X: y\r\n");
	assert_attach_fails(head.data, head.len, BR_EPROTO, "has no end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_was_written_to_stdout),
		cmocka_unit_test(takes_no_stream_that_was_cut_for_a_whole_one),
		cmocka_unit_test(ends_with_what_is_no_output),
		cmocka_unit_test(tells_why_it_cannot_attach),
		cmocka_unit_test(refuses_a_head_without_end),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
