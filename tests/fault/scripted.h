/* SPDX-License-Identifier: MIT */
/*
 * scripted.h - a server on a unix socket that answers as a test wants, also as no
 * engine ever would.
 *
 * It is a child process that goes with the test. Each connection carries one
 * request; the first rule that fits it is followed. Requests are written down in a
 * file before they are answered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What comes after the answer. */
enum scripted_end {
	/* The connection is closed. */
	SCRIPTED_CLOSE,
	/* The last byte of the answer is repeated for ever. */
	SCRIPTED_ENDLESS,
	/* Nothing, until the client closes. */
	SCRIPTED_SILENT,
};

struct scripted_rule {
	/* A part of the request's first line; NULL: any. */
	const char *request;
	/* How often the rule is good for; 0: always. */
	unsigned times;
	/* `200 OK`; with a head as Docker has it. NULL: `body` is all. */
	const char *status;
	const char *body;
	/* Bytes of `body`; 0: it is a string. */
	size_t body_len;
	/* The API version in the head; NULL: `1.41`. */
	const char *api_version;
	/* Who says to answer; NULL: `Docker/20.10.24 (linux)`. */
	const char *server;
	/* In one chunk; the cut can take the end chunk off. */
	bool is_chunked;
	enum scripted_end end;
	/* Written to before answering, if not 0: the event that a test needs. */
	int signal_fd;
};

struct scripted {
	/* `unix:///…/s`, and where its requests are written down. */
	char *address;
	char *requests_path;
	/* Only this many bytes of an answer are sent; in shared memory. */
	size_t *cut;
	/* The longest answer so far; in shared memory. */
	size_t *answer_len;
	pid_t pid;
	char *folder;
};

/* A rule after the last. */
#define SCRIPTED_RULES_END \
	{ \
		.request = "", .status = "" \
	}

/*
 * Start a server with `rules`, which end with one whose `status` is "". It takes
 * connections when this returns.
 */
void scripted_start(struct scripted *server, const struct scripted_rule *rules);

/* End it and remove what it wrote. */
void scripted_stop(struct scripted *server);

/* Give what was asked so far. Ownership: the caller frees it. */
char *scripted_requests(const struct scripted *server);
