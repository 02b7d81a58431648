/* SPDX-License-Identifier: MIT */
/*
 * http.h - a server for small answers that are made at once: health and metrics.
 *
 * It takes the one request of a connection, answers, and closes. All of it is in one
 * epoll descriptor, which the agent's loop polls. Of 32 connections the oldest gives
 * way to a new one, and each has five seconds in all, so that clients that are slow, or
 * hold on to what they have, are no more than a nuisance. Nothing is asked of who
 * calls: it is for the machine itself, or a network that can be trusted.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct http;

/*
 * Add the body for `path` to `body`, and give the status: 200, 404 or 503. `*type` is
 * its content type, "text/plain" unless it is set to another.
 */
typedef int http_answer_fn(
	void *ctx, const char *path, const char **type, struct br_buf *body);

/*
 * Listen at `address`: `127.0.0.1:9090`, `[::1]:9090`, `:9090` for all; port 0 takes
 * any. Ownership: http_close(). Fails with BR_EINPUT for what is no address, and
 * BR_ESYSTEM.
 */
bool http_open(const char *address, http_answer_fn *answer, void *ctx,
	struct http **http, struct br_err *err) BR_MUST_CHECK;

/* Close all of it. May be NULL. */
void http_close(struct http *http);

/* Give the address that it listens at, with its port. Borrowed. */
const char *http_address(const struct http *http);

/* What to poll for input, and when http_work() is due, in monotonic ms; -1: never. */
int http_fd(const struct http *http);
int64_t http_deadline_ms(const struct http *http);

/* Do what can be done without waiting. */
void http_work(struct http *http);
