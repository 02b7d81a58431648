/* SPDX-License-Identifier: MIT */
#include "tests/fault/scripted.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/support/folder.h"

enum {
	RULES_MAX = 32,
	/* Two numbers that both processes see. */
	SHARED_BYTES = 2 * sizeof(size_t),
	REQUESTS_MAX_BYTES = 16 << 20,
};

/* What the child knows. */
struct server {
	int listen_fd;
	int log_fd;
	const size_t *cut;
	size_t *answer_len;
	const struct scripted_rule *rules;
	unsigned used[RULES_MAX];
};

static void check(bool is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	abort();
}

/* Whether `request` has a whole head and a body as long as it says. */
static bool is_whole(const struct br_buf *request)
{
	const char *end = strstr(br_buf_text(request), "\r\n\r\n");
	const char *length =
		strcasestr(br_buf_text(request), "\r\nContent-Length:");
	size_t body_len = length
		? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10)
		: 0;

	return end &&
		request->len >= (size_t)(end + 4 - request->data) + body_len;
}

/* Read one request; false where the client has closed before. */
static bool read_request(int fd, struct br_buf *request)
{
	while (!is_whole(request)) {
		char piece[4096];
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n <= 0)
			return false;
		br_buf_add(request, piece, (size_t)n);
	}
	return true;
}

static const struct scripted_rule *find_rule(
	struct server *server, const char *request)
{
	size_t line_len = strcspn(request, "\r");

	for (size_t i = 0; i < RULES_MAX; i++) {
		const struct scripted_rule *rule = &server->rules[i];
		const char *found = rule->request
			? strstr(request, rule->request)
			: request;

		if (rule->status && rule->status[0] == '\0')
			return NULL;
		if (!found || (size_t)(found - request) >= line_len ||
			(rule->times > 0 && server->used[i] >= rule->times))
			continue;
		server->used[i]++;
		return rule;
	}
	return NULL;
}

static void make_answer(const struct scripted_rule *rule, struct br_buf *answer)
{
	const char *body = rule->body ? rule->body : "";
	size_t len = rule->body_len ? rule->body_len : strlen(body);

	if (rule->status) {
		br_buf_addf(answer, "HTTP/1.1 %s\r\n", rule->status);
		br_buf_addf(answer, "Api-Version: %s\r\n",
			rule->api_version ? rule->api_version : "1.41");
		br_buf_addf(answer,
			"Server: %s\r\nContent-Type: application/json\r\n",
			rule->server ? rule->server
				     : "Docker/20.10.24 (linux)");
		if (rule->is_chunked)
			br_buf_addf(answer,
				"Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
				len);
		else
			br_buf_addf(answer, "Content-Length: %zu\r\n\r\n", len);
	}
	br_buf_add(answer, body, len);
	if (rule->is_chunked)
		br_buf_add_text(answer, "\r\n0\r\n\r\n");
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void repeat(int fd, char byte)
{
	char piece[65536];

	memset(piece, byte, sizeof(piece));
	while (write_all(fd, piece, sizeof(piece)))
		continue;
}

static void wait_for_end(int fd)
{
	char piece[4096];

	while (read(fd, piece, sizeof(piece)) > 0)
		continue;
}

static void follow(
	const struct server *server, int fd, const struct scripted_rule *rule)
{
	br_autobuf struct br_buf answer = { 0 };

	make_answer(rule, &answer);
	if (answer.len > *server->answer_len)
		*server->answer_len = answer.len;
	if (rule->signal_fd > 0)
		(void)!write(rule->signal_fd, "\2", 1);
	if (!write_all(fd, br_buf_text(&answer),
		    answer.len < *server->cut ? answer.len : *server->cut))
		return;
	if (rule->end == SCRIPTED_ENDLESS)
		repeat(fd, answer.data[answer.len - 1]);
	if (rule->end == SCRIPTED_SILENT)
		wait_for_end(fd);
}

static void serve_one(struct server *server, int fd)
{
	br_autobuf struct br_buf request = { 0 };

	if (!read_request(fd, &request))
		return;
	(void)write_all(server->log_fd, request.data, request.len);
	(void)write_all(server->log_fd, "\n", 1);

	const struct scripted_rule *rule =
		find_rule(server, br_buf_text(&request));
	if (rule)
		follow(server, fd, rule);
}

static void serve(struct server *server)
{
	(void)signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		serve_one(server, fd);
		(void)close(fd);
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd >= 0, "socket");
	check(strlen(path) < sizeof(name.sun_path), "path");
	memcpy(name.sun_path, path, strlen(path));
	check(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0, "bind");
	check(listen(fd, 64) == 0, "listen");
	return fd;
}

void scripted_start(struct scripted *server, const struct scripted_rule *rules)
{
	pid_t parent = getpid();

	server->folder = folder_make();
	server->address = br_format("unix://%s/s", server->folder);
	server->requests_path = br_format("%s/requests", server->folder);
	size_t *shared = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared != MAP_FAILED, "mmap");
	server->cut = &shared[0];
	server->answer_len = &shared[1];
	*server->cut = SIZE_MAX;
	*server->answer_len = 0;

	struct server child = {
		.listen_fd = listen_at(server->address + strlen("unix://")),
		.log_fd = open(server->requests_path,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
		.cut = server->cut,
		.answer_len = server->answer_len,
		.rules = rules,
	};
	check(child.log_fd >= 0, server->requests_path);
	server->pid = fork();
	check(server->pid >= 0, "fork");
	if (server->pid == 0) {
		/* It must not outlive a test that is killed. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			serve(&child);
		_exit(0);
	}
	(void)close(child.listen_fd);
	(void)close(child.log_fd);
}

void scripted_stop(struct scripted *server)
{
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
	(void)munmap(server->cut, SHARED_BYTES);
	free(server->address);
	free(server->requests_path);
	folder_remove(server->folder);
}

char *scripted_requests(const struct scripted *server)
{
	struct br_buf text = { 0 };
	struct br_err err = { 0 };

	check(br_file_load(
		      server->requests_path, REQUESTS_MAX_BYTES, &text, &err),
		err.text);
	return br_buf_take(&text);
}
