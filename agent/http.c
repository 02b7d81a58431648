/* SPDX-License-Identifier: MIT */
#include "agent/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

enum {
	CLIENTS_MAX = 32,
	/* A request line, and headers that nobody looks at. */
	REQUEST_MAX_BYTES = 8 * 1024,
	CLIENT_MS = 5000,
	/* With no descriptors left, before it looks for another client. */
	PAUSE_MS = 1000,
	EVENTS = 16,
	ADDRESS_BYTES = 80,
};

/* Whose turn it is in epoll's data: a client's number, or this. */
enum { LISTENER = CLIENTS_MAX };

struct client {
	/* -1: none. */
	int fd;
	int64_t deadline_ms;
	struct br_buf request;
	struct br_buf answer;
	/* The answer is on its way; what still comes is thrown away. */
	bool is_answered;
};

struct http {
	int epoll_fd;
	int listen_fd;
	/* When to take clients again; -1: it does. */
	int64_t pause_ms;
	http_answer_fn *answer;
	void *ctx;
	char address[ADDRESS_BYTES];
	struct client clients[CLIENTS_MAX];
};

/* Listening. */

/* Split `host:port` or `[host]:port`; an empty host stands for all. */
static bool split_address(
	const char *address, char **host, char **port, struct br_err *err)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (!colon || colon[1] == '\0' ||
		strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return br_fail(err, BR_EINPUT,
			"'%s' is no ADDRESS:PORT to listen at", address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']')
		*host = br_memdup(address + 1, len - 2);
	else
		*host = br_memdup(address, len);
	*port = br_strdup(colon + 1);
	return true;
}

static int listen_at(const struct addrinfo *info)
{
	const int on = 1;
	br_autoclose int fd = socket(info->ai_family,
		info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, info->ai_addr, info->ai_addrlen) < 0 ||
		listen(fd, CLIENTS_MAX) < 0)
		return -1;
	return br_take_fd(&fd);
}

/* The address as people write it, with the port that the system chose. */
static void name_address(struct http *http)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);
	char host[64] = "?";
	char port[8] = "?";
	bool is_six = false;

	if (getsockname(http->listen_fd, (struct sockaddr *)&address, &len) ==
		0)
		(void)getnameinfo((const struct sockaddr *)&address, len, host,
			sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV);
	is_six = address.ss_family == AF_INET6;
	(void)snprintf(http->address, sizeof(http->address), "%s%s%s:%s",
		is_six ? "[" : "", host, is_six ? "]" : "", port);
}

static bool watch(struct http *http, int fd, uint32_t number, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = number };

	return epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ||
		epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0;
}

static bool start_listening(
	const char *address, struct http *http, struct br_err *err)
{
	br_autofree char *host = NULL;
	br_autofree char *port = NULL;
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;

	if (!split_address(address, &host, &port, err))
		return false;

	bool is_named = host && host[0] != '\0';
	int code = getaddrinfo(is_named ? host : NULL, port, &hints, &found);
	if (code != 0)
		return br_fail(err, BR_EINPUT, "listen at '%s': %s", address,
			gai_strerror(code));
	for (const struct addrinfo *info = found; info && http->listen_fd < 0;
		info = info->ai_next)
		http->listen_fd = listen_at(info);
	freeaddrinfo(found);
	if (http->listen_fd < 0 ||
		!watch(http, http->listen_fd, LISTENER, EPOLLIN))
		return br_fail_errno(err, "listen at '%s'", address);
	name_address(http);
	return true;
}

bool http_open(const char *address, http_answer_fn *answer, void *ctx,
	struct http **http, struct br_err *err)
{
	struct http *made = br_alloc(sizeof(*made));

	*made = (struct http){
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		.listen_fd = -1,
		.pause_ms = -1,
		.answer = answer,
		.ctx = ctx,
	};
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		made->clients[i].fd = -1;
	if (!start_listening(address, made, err)) {
		http_close(made);
		return false;
	}
	*http = made;
	return true;
}

static void drop(struct client *client)
{
	if (client->fd >= 0)
		(void)close(br_take_fd(&client->fd));
	br_buf_done(&client->request);
	br_buf_done(&client->answer);
	client->is_answered = false;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		drop(&http->clients[i]);
	if (http->listen_fd >= 0)
		(void)close(http->listen_fd);
	if (http->epoll_fd >= 0)
		(void)close(http->epoll_fd);
	free(http);
}

const char *http_address(const struct http *http)
{
	return http->address;
}

int http_fd(const struct http *http)
{
	return http->epoll_fd;
}

int64_t http_deadline_ms(const struct http *http)
{
	int64_t deadline_ms = http->pause_ms;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (http->clients[i].fd >= 0)
			deadline_ms = br_clock_earlier(
				deadline_ms, http->clients[i].deadline_ms);
	return deadline_ms;
}

/* Answering. */

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	default:
		return "Service Unavailable";
	}
}

/* Cut `GET /path?query HTTP/1.1` down to the path; NULL: it is no request. */
static char *find_path(char *line, bool *is_head, int *status)
{
	char *path = strchr(line, ' ');
	char *end = path ? strchr(path + 1, ' ') : NULL;

	*status = 400;
	if (!end || strncmp(end, " HTTP/1.", 8) != 0)
		return NULL;
	*path++ = '\0';
	*end = '\0';
	path[strcspn(path, "?")] = '\0';
	*is_head = strcmp(line, "HEAD") == 0;
	if (!*is_head && strcmp(line, "GET") != 0) {
		*status = 405;
		return NULL;
	}
	return path;
}

static void make_answer(const struct http *http, struct client *client)
{
	const char *type = "text/plain";
	br_autobuf struct br_buf body = { 0 };
	bool is_head = false;
	int status = 0;
	const char *path = find_path(client->request.data, &is_head, &status);

	if (path)
		status = http->answer(http->ctx, path, &type, &body);
	else
		br_buf_addf(&body, "%s\n", status_text(status));
	br_buf_addf(&client->answer,
		"HTTP/1.1 %d %s\r\n"
		"Content-Type: %s; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"%s"
		"Cache-Control: no-store\r\n"
		"Connection: close\r\n\r\n",
		status, status_text(status), type, body.len,
		status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!is_head)
		br_buf_add(&client->answer, body.data, body.len);
	client->is_answered = true;
	br_buf_done(&client->request);
}

static bool is_whole(const struct br_buf *request)
{
	return request->len > 0 &&
		(memmem(request->data, request->len, "\r\n\r\n", 4) ||
			memmem(request->data, request->len, "\n\n", 2));
}

/* Give true where there may be more; false: the client has said all that it will. */
static bool read_request(const struct http *http, struct client *client)
{
	char data[2048];
	ssize_t n = recv(client->fd, data, sizeof(data), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0 || client->is_answered)
		return n > 0;
	br_buf_add(&client->request, data, (size_t)n);
	if (is_whole(&client->request))
		make_answer(http, client);
	return client->request.len <= REQUEST_MAX_BYTES;
}

/* Send what can be sent; after the last of it only the client's end is waited for. */
static bool write_answer(
	struct http *http, struct client *client, uint32_t number)
{
	ssize_t n = send(client->fd, client->answer.data, client->answer.len,
		MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	br_buf_drop(&client->answer, n > 0 ? (size_t)n : 0);
	if (client->answer.len > 0)
		return watch(http, client->fd, number, EPOLLOUT);
	(void)shutdown(client->fd, SHUT_WR);
	return watch(http, client->fd, number, EPOLLIN);
}

static void serve(struct http *http, uint32_t number)
{
	struct client *client = &http->clients[number];
	bool is_there = client->fd >= 0;

	/* With its answer still to go out it is not listened to. */
	if (is_there && client->answer.len == 0)
		is_there = read_request(http, client);
	if (is_there && client->answer.len > 0)
		is_there = write_answer(http, client, number);
	if (!is_there)
		drop(client);
}

/* A place for one more client: a free one, or the oldest one's. */
static struct client *find_place(struct http *http)
{
	struct client *chosen = &http->clients[0];

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &http->clients[i];

		if (client->fd < 0)
			return client;
		if (client->deadline_ms < chosen->deadline_ms)
			chosen = client;
	}
	drop(chosen);
	return chosen;
}

/* Give false where there are none (any more). */
static bool take_client(struct http *http)
{
	int fd = accept4(
		http->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = NULL;

	if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
		return true;
	if (fd < 0 && errno != EAGAIN) {
		/* It would be called at once again and again. */
		(void)watch(http, http->listen_fd, LISTENER, 0);
		http->pause_ms = br_clock_now_ms() + PAUSE_MS;
	}
	if (fd < 0)
		return false;
	client = find_place(http);
	client->fd = fd;
	client->deadline_ms = br_clock_now_ms() + CLIENT_MS;
	if (!watch(http, fd, (uint32_t)(client - http->clients), EPOLLIN))
		drop(client);
	return true;
}

static void take_clients(struct http *http)
{
	/* No more at a time than there is room for. */
	for (size_t i = 0; i < CLIENTS_MAX && take_client(http); i++)
		continue;
}

static void look_at_clock(struct http *http)
{
	int64_t now_ms = br_clock_now_ms();

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (http->clients[i].fd >= 0 &&
			http->clients[i].deadline_ms <= now_ms)
			drop(&http->clients[i]);
	if (http->pause_ms >= 0 && http->pause_ms <= now_ms) {
		http->pause_ms = -1;
		(void)watch(http, http->listen_fd, LISTENER, EPOLLIN);
	}
}

void http_work(struct http *http)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(http->epoll_fd, events, EVENTS, 0);

	for (int i = 0; i < count; i++)
		if (events[i].data.u32 == LISTENER)
			take_clients(http);
		else
			serve(http, events[i].data.u32);
	look_at_clock(http);
}
