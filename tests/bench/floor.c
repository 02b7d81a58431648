/* SPDX-License-Identifier: MIT */
/*
 * floor.c - the least that a container costs: raw engine calls and nothing else.
 *
 *	floor SOCKET IMAGE FOLDER COMMAND [ARGUMENT...]
 *
 * Creates a container that the engine removes itself, without a log and with FOLDER
 * mounted at /app, attaches, starts it, reads its output to the end and throws it
 * away. One HTTP request after the other over a unix socket, no library. What
 * bench.py measures buildr against; prints how many bytes came.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/file.h"

enum { READ_BYTES = 256 * 1024, ID_LEN = 64 };

static bool connect_engine(const char *path, int *fd, struct br_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	br_autoclose int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (made < 0 ||
		connect(made, (struct sockaddr *)&address, sizeof(address)) < 0)
		return br_fail_errno(err, "connect to '%s'", path);
	*fd = br_take_fd(&made);
	return true;
}

/* Send a request and read the head of the answer and what came with it. */
static bool request(int fd, const char *method, const char *path,
	const char *extra, const char *body, struct br_buf *answer,
	struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&text,
		"%s /v1.41%s HTTP/1.1\r\nHost: engine\r\n%s"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		method, path, extra, strlen(body), body);
	if (!br_file_write(fd, text.data, text.len, err))
		return false;
	while (!strstr(br_buf_text(answer), "\r\n\r\n")) {
		ssize_t n = read(fd, br_buf_room(answer, 4096), 4096);

		if (n <= 0)
			return br_fail(err, BR_EPROTO, "no answer to %s", path);
		br_buf_grew(answer, (size_t)n);
	}
	return true;
}

static void add_json_text(struct br_buf *text, const char *value)
{
	br_buf_add_char(text, '"');
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			br_buf_add_char(text, '\\');
		br_buf_add_char(text, *value);
	}
	br_buf_add_char(text, '"');
}

static void make_body(char **argv, struct br_buf *body)
{
	br_buf_add_text(body, "{\"Image\":");
	add_json_text(body, argv[0]);
	br_buf_add_text(body,
		",\"WorkingDir\":\"/app\",\"AttachStdout\":true,"
		"\"AttachStderr\":true,\"Cmd\":[");
	for (char **word = argv + 2; *word; word++) {
		if (word > argv + 2)
			br_buf_add_char(body, ',');
		add_json_text(body, *word);
	}
	br_buf_add_text(body,
		"],\"HostConfig\":{\"AutoRemove\":true,\"LogConfig\":{\"Type\":"
		"\"none\"},\"Mounts\":[{\"Type\":\"bind\",\"Source\":");
	add_json_text(body, argv[1]);
	br_buf_add_text(body, ",\"Target\":\"/app\"}]}}");
}

static bool create(
	const char *socket_path, char **argv, char *id, struct br_err *err)
{
	br_autoclose int fd = -1;
	br_autobuf struct br_buf body = { 0 };
	br_autobuf struct br_buf answer = { 0 };

	make_body(argv, &body);
	if (!connect_engine(socket_path, &fd, err) ||
		!request(fd, "POST", "/containers/create",
			"Connection: close\r\n", br_buf_text(&body), &answer,
			err))
		return false;
	for (;;) {
		const char *found = strstr(br_buf_text(&answer), "\"Id\":\"");

		if (found && strlen(found) > 6 + ID_LEN) {
			(void)snprintf(id, ID_LEN + 1, "%s", found + 6);
			return true;
		}

		ssize_t n = read(fd, br_buf_room(&answer, 4096), 4096);
		if (n <= 0)
			return br_fail(err, BR_EPROTO, "not created: %s",
				br_buf_text(&answer));
		br_buf_grew(&answer, (size_t)n);
	}
}

static bool start(const char *socket_path, const char *id, struct br_err *err)
{
	br_autoclose int fd = -1;
	br_autobuf struct br_buf answer = { 0 };
	char path[128];

	(void)snprintf(path, sizeof(path), "/containers/%s/start", id);
	return connect_engine(socket_path, &fd, err) &&
		request(fd, "POST", path, "Connection: close\r\n", "", &answer,
			err) &&
		(strstr(br_buf_text(&answer), " 204 ") ||
			br_fail(err, BR_EPROTO, "not started: %s",
				br_buf_text(&answer)));
}

static bool drain(int fd, unsigned long long *total, struct br_err *err)
{
	br_autofree char *piece = malloc(READ_BYTES);

	for (;;) {
		ssize_t n = read(fd, piece, READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return br_fail_errno(err, "read the output");
		if (n == 0)
			return true;
		*total += (unsigned long long)n;
	}
}

static bool run(const char *socket_path, char **argv, struct br_err *err)
{
	char id[ID_LEN + 1];
	char path[160];
	br_autoclose int fd = -1;
	br_autobuf struct br_buf answer = { 0 };
	unsigned long long total = 0;

	if (!create(socket_path, argv, id, err) ||
		!connect_engine(socket_path, &fd, err))
		return false;
	(void)snprintf(path, sizeof(path),
		"/containers/%s/attach?stream=1&stdout=1&stderr=1", id);
	if (!request(fd, "POST", path,
		    "Connection: Upgrade\r\nUpgrade: tcp\r\n", "", &answer,
		    err) ||
		!start(socket_path, id, err) || !drain(fd, &total, err))
		return false;
	(void)printf("%llu\n", total);
	return true;
}

int main(int argc, char **argv)
{
	struct br_err err = { 0 };

	if (argc < 5) {
		(void)fprintf(stderr,
			"usage: floor SOCKET IMAGE FOLDER COMMAND...\n");
		return 2;
	}
	if (run(argv[1], argv + 2, &err))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "floor: %s\n", err.text);
	return EXIT_FAILURE;
}
