/* SPDX-License-Identifier: MIT */
#include "engine/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "engine/diagnose.h"
#include "engine/http.h"
#include "engine/transfer.h"

enum {
	/* From the connection to the head of the answer. */
	OPEN_TIMEOUT_MS = 30 * 1000,
	/* The head of an answer, and the text of one that refuses. */
	HEAD_MAX_BYTES = 16 * 1024,
};

struct br_stream {
	/* Borrowed from the client, which is there for longer. */
	const struct br_curl *curl;
	CURL *easy;
	CURLM *multi;
	int fd;
	bool is_plain;
};

int br_stream_fd(const struct br_stream *stream)
{
	return stream->fd;
}

bool br_stream_is_plain(const struct br_stream *stream)
{
	return stream->is_plain;
}

void br_stream_close(struct br_stream *stream)
{
	if (!stream)
		return;
	if (stream->multi && stream->easy)
		(void)stream->curl->multi_remove_handle(
			stream->multi, stream->easy);
	if (stream->easy)
		stream->curl->easy_cleanup(stream->easy);
	if (stream->multi)
		(void)stream->curl->multi_cleanup(stream->multi);
	free(stream);
}

static void close_slot(struct br_stream **slot)
{
	br_stream_close(*slot);
}

static bool is_would_block(int reason)
{
	return reason == EAGAIN || reason == EINTR;
}

static bool read_plain(struct br_stream *stream, void *data, size_t size_bytes,
	size_t *len, bool *is_over, struct br_err *err)
{
	ssize_t n = recv(stream->fd, data, size_bytes, MSG_DONTWAIT);

	if (n < 0 && !is_would_block(errno))
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the engine broke: %s",
			strerror(errno));
	*is_over = n == 0;
	*len = n > 0 ? (size_t)n : 0;
	return true;
}

bool br_stream_read(struct br_stream *stream, void *data, size_t size_bytes,
	size_t *len, bool *is_over, struct br_err *err)
{
	if (stream->is_plain)
		return read_plain(stream, data, size_bytes, len, is_over, err);

	size_t n = 0;
	CURLcode result =
		stream->curl->easy_recv(stream->easy, data, size_bytes, &n);

	if (result != CURLE_OK && result != CURLE_AGAIN)
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the engine broke: %s",
			stream->curl->easy_strerror(result));
	*is_over = result == CURLE_OK && n == 0;
	*len = n;
	return true;
}

static bool write_plain(struct br_stream *stream, const void *data, size_t len,
	size_t *written_len, struct br_err *err)
{
	ssize_t n = send(stream->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && !is_would_block(errno))
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the engine broke: %s",
			strerror(errno));
	*written_len = n > 0 ? (size_t)n : 0;
	return true;
}

bool br_stream_write(struct br_stream *stream, const void *data, size_t len,
	size_t *written_len, struct br_err *err)
{
	if (stream->is_plain)
		return write_plain(stream, data, len, written_len, err);

	size_t n = 0;
	CURLcode result = stream->curl->easy_send(stream->easy, data, len, &n);

	if (result != CURLE_OK && result != CURLE_AGAIN)
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the engine broke: %s",
			stream->curl->easy_strerror(result));
	*written_len = n;
	return true;
}

/* Connect, and nothing else: what follows is said by hand. */
static bool connect_to(const struct br_curl *curl,
	const struct br_address *address, int cancel_fd,
	struct br_stream *stream, struct br_err *err)
{
	struct br_transfer_wait wait = { .cancel_fd = cancel_fd };
	CURLcode result = CURLE_OK;
	curl_socket_t fd = CURL_SOCKET_BAD;
	br_autofree char *url = br_format("%s%s/", br_transfer_scheme(address),
		address->host_port ? address->host_port : "localhost");

	stream->curl = curl;
	stream->easy = br_transfer_easy(curl, address);
	stream->multi = curl->multi_init();
	if (!stream->multi)
		br_out_of_memory();
	curl->easy_setopt(stream->easy, CURLOPT_URL, url);
	curl->easy_setopt(stream->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl->multi_add_handle(stream->multi, stream->easy);
	if (!br_transfer_drive(curl, stream->multi, &wait, &result, err))
		return false;
	if (result != CURLE_OK)
		return br_diagnose(curl, stream->easy, address, result, err);
	/* The handle stays in its multi handle: that holds the connection. */
	curl->easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the engine did not last");
	stream->fd = fd;
	stream->is_plain = !address->is_tls;
	return true;
}

/* What the opening of a stream waits with. */
struct opening {
	struct br_stream *stream;
	int cancel_fd;
	int64_t deadline_ms;
};

/* Wait for `events` on the connection. */
static bool wait_for(
	const struct opening *opening, short events, struct br_err *err)
{
	int64_t left_ms = opening->deadline_ms - br_clock_now_ms();
	struct pollfd polled[] = {
		{ .fd = opening->stream->fd, .events = events },
		{ .fd = opening->cancel_fd, .events = POLLIN },
	};

	if (left_ms <= 0)
		return br_fail(
			err, BR_EUNAVAIL, "the engine does not answer in time");
	if (poll(polled, 2, (int)left_ms) < 0 && errno != EINTR)
		return br_fail_errno(err, "wait for the engine");
	if (polled[1].revents)
		return br_fail(err, BR_ECANCELED, "stopped on request");
	return true;
}

static bool send_all(const struct opening *opening, const char *text,
	size_t len, struct br_err *err)
{
	while (len > 0) {
		size_t n = 0;

		if (!br_stream_write(opening->stream, text, len, &n, err))
			return false;
		if (n == 0 && !wait_for(opening, POLLOUT, err))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

/*
 * Read up to `size_bytes` more, at least one; none at the end of the stream.
 */
static bool read_some(const struct opening *opening, char *data,
	size_t size_bytes, size_t *len, struct br_err *err)
{
	bool is_over = false;

	*len = 0;
	for (;;) {
		if (!br_stream_read(opening->stream, data, size_bytes, len,
			    &is_over, err))
			return false;
		if (*len > 0 || is_over)
			return true;
		if (!wait_for(opening, POLLIN, err))
			return false;
	}
}

/*
 * Read the head of the answer, byte by byte: what follows it belongs to the stream,
 * whose owner polls the descriptor and would not know of bytes that we keep.
 */
static bool read_head(
	const struct opening *opening, struct br_buf *head, struct br_err *err)
{
	static const char end[] = "\r\n\r\n";
	size_t end_len = sizeof(end) - 1;

	for (;;) {
		char byte = 0;
		size_t n = 0;

		if (!read_some(opening, &byte, 1, &n, err))
			return false;
		if (n == 0)
			return br_fail(err, BR_EUNAVAIL,
				"the engine closed the connection without an answer");
		br_buf_add_char(head, byte);
		if (head->len >= end_len &&
			!memcmp(head->data + head->len - end_len, end, end_len))
			return true;
		if (head->len >= HEAD_MAX_BYTES)
			return br_fail(err, BR_EPROTO,
				"the head of the engine's answer has no end");
	}
}

/* The status in `HTTP/1.1 101 UPGRADED`; 0 where it is none. */
static int parse_status(const char *head)
{
	const char *at = head + strlen("HTTP/1.1 ");

	if (!br_has_prefix(head, "HTTP/1.") || strlen(head) < 12 ||
		strspn(at, "0123456789") != 3)
		return 0;
	return (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
}

/* Read the text of a refusal to its end, as far as it is said how long it is. */
static bool read_refusal(const struct opening *opening,
	const struct br_buf *head, int status, struct br_err *err)
{
	static const char name[] = "\r\nContent-Length:";
	const char *at = strcasestr(br_buf_text(head), name);
	br_autoanswer struct br_http_answer answer = { .status = status };
	size_t left = at ? strtoul(at + sizeof(name) - 1, NULL, 10) : 0;

	if (left > HEAD_MAX_BYTES)
		left = HEAD_MAX_BYTES;
	while (left > 0) {
		size_t n = 0;

		if (!read_some(opening, br_buf_room(&answer.body, left), left,
			    &n, err))
			return false;
		if (n == 0)
			break;
		br_buf_grew(&answer.body, n);
		left -= n;
	}
	return br_http_refuse(&answer, err);
}

static bool take_answer(const struct opening *opening, struct br_err *err)
{
	br_autobuf struct br_buf head = { 0 };

	if (!read_head(opening, &head, err))
		return false;

	int status = parse_status(br_buf_text(&head));
	if (status == 0)
		return br_fail(
			err, BR_EPROTO, "the engine's answer is no HTTP");
	/* Some proxies make 200 of 101 and pass the bytes on all the same. */
	if (status != 101 && status != 200)
		return read_refusal(opening, &head, status, err);
	if (strcasestr(br_buf_text(&head), "\r\nTransfer-Encoding: chunked"))
		return br_fail(err, BR_EPROTO,
			"a proxy before the engine does not let attached streams through");
	return true;
}

bool br_stream_open(struct br_http *http, const char *path,
	struct br_stream **stream, struct br_err *err)
{
	const struct br_address *address = br_http_address(http);
	__attribute__((cleanup(close_slot))) struct br_stream *opened =
		br_alloc(sizeof(*opened));
	struct opening opening = {
		.stream = opened,
		.cancel_fd = br_http_cancel(http),
	};

	if (!br_http_greet(http, err) ||
		!connect_to(br_http_curl(http), address, opening.cancel_fd,
			opened, err))
		return false;
	opening.deadline_ms = br_clock_now_ms() + OPEN_TIMEOUT_MS;

	br_autofree char *request = br_format("POST /v%s%s HTTP/1.1\r\n"
					      "Host: %s\r\n"
					      "User-Agent: buildr\r\n"
					      "Connection: Upgrade\r\n"
					      "Upgrade: tcp\r\n"
					      "Content-Length: 0\r\n"
					      "\r\n",
		br_http_version(http), path,
		address->host_port ? address->host_port : "localhost");
	if (!send_all(&opening, request, strlen(request), err) ||
		!take_answer(&opening, err))
		return false;
	*stream = br_take_ptr(&opened);
	return true;
}
