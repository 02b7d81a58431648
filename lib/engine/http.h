/* SPDX-License-Identifier: MIT */
/*
 * http.h - requests to the engine, one at a time.
 *
 * The first request is preceded by a ping, which finds out whether there is an
 * engine at all and which API version to speak. Where the engine then says that the
 * version is wrong (it was exchanged under us), that is done again, once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "engine/address.h"

struct br_curl;
struct br_http;
struct cJSON;

/* Takes a piece of an answer's body, borrowed for the call. */
typedef bool br_http_fn(
	void *ctx, const char *data, size_t len, struct br_err *err);

struct br_http_request {
	/* `GET`. */
	const char *method;
	/* With the query and without the version: `/containers/json?all=1`. */
	const char *path;
	/* Sent as `content_type`; NULL: none. */
	const void *body;
	size_t body_len;
	const char *content_type;
	/* Value of X-Registry-Auth; NULL: not sent. */
	const char *registry_auth;
	/*
	 * Must not be done twice: goes over a connection of its own. libcurl sends
	 * a request again where a kept one turns out to be closed.
	 */
	bool is_once;
	/* For the whole request; 0: no limit. */
	int64_t timeout_ms;
	/* Without a byte of the answer; 0: no limit. */
	int64_t idle_timeout_ms;
	/* Gets the body of a success instead of the answer; NULL: nobody. */
	br_http_fn *fn;
	void *ctx;
};

/* Starts out all zero. */
struct br_http_answer {
	int status;
	struct br_buf body;
};

static inline void br_clean_answer(struct br_http_answer *answer)
{
	br_buf_done(&answer->body);
}

#define br_autoanswer __attribute__((cleanup(br_clean_answer)))

/*
 * Make a client of the engine at `address`. Speaks to nobody yet.
 *
 * Ownership: takes what `address` holds; the caller frees the client with
 * br_http_free().
 */
struct br_http *br_http_new(struct br_address *address) BR_NONNULL_RESULT;

/* Free `http`, which may be NULL. */
void br_http_free(struct br_http *http);

BR_DEFINE_AUTO(br_http)

/* From now on give up when `cancel_fd` is readable; -1: never. */
void br_http_set_cancel(struct br_http *http, int cancel_fd);

/* Give what was set by br_http_set_cancel(). */
int br_http_cancel(const struct br_http *http);

/* Give libcurl; NULL before br_http_greet(). Borrowed until br_http_free(). */
const struct br_curl *br_http_curl(const struct br_http *http);

/* Give the address. Borrowed until br_http_free(). */
const struct br_address *br_http_address(
	const struct br_http *http) BR_NONNULL_RESULT;

/*
 * Ping the engine, where that was not done yet, and agree on a version.
 *
 * Fails with BR_EUNAVAIL where no engine answers, BR_EPROTO where it is too old.
 */
bool br_http_greet(struct br_http *http, struct br_err *err) BR_MUST_CHECK;

/* Give the API version in use; "" before br_http_greet(). Borrowed. */
const char *br_http_version(const struct br_http *http) BR_NONNULL_RESULT;

/*
 * Give what the engine calls itself in answers, `Docker/20.10.24 (linux)`; "" where
 * it does not say. Borrowed.
 */
const char *br_http_server(const struct br_http *http) BR_NONNULL_RESULT;

/* Say whether the engine is Podman; false before br_http_greet(). */
bool br_http_is_podman(const struct br_http *http);

/*
 * Send a request and take the answer, of any status.
 *
 * Ownership: the caller frees the contents of *answer with br_buf_done() or
 * br_autoanswer. Limits: an answer is at most BR_LIMIT_ENGINE_ANSWER_BYTES, an
 * error's text is cut. Fails with BR_EUNAVAIL, BR_EPROTO, BR_ECANCELED, and with
 * what `fn` set.
 */
bool br_http_call(struct br_http *http, const struct br_http_request *request,
	struct br_http_answer *answer, struct br_err *err) BR_MUST_CHECK;

/* br_http_call(), and any status but 2xx and 304 fails as by br_http_refuse(). */
bool br_http_want(struct br_http *http, const struct br_http_request *request,
	struct br_http_answer *answer, struct br_err *err) BR_MUST_CHECK;

/*
 * GET `path` and take the answer apart.
 *
 * Ownership: the caller frees *value with br_autojson (json.h). Fails as
 * br_http_want(), and with BR_EPROTO where the answer is no JSON.
 */
bool br_http_ask_json(struct br_http *http, const char *path,
	struct cJSON **value, struct br_err *err) BR_MUST_CHECK;

/*
 * Make a failure of an answer: BR_ENOTFOUND for 404, BR_EINPUT for 400, else
 * BR_EUNAVAIL or BR_EPROTO, with the engine's words. Returns false.
 */
bool br_http_refuse(const struct br_http_answer *answer, struct br_err *err);

/*
 * Give the engine's words in an answer that is an error: `message` of its JSON, or
 * the text itself, on one line and cut.
 *
 * Ownership: the caller frees them with free().
 */
char *br_http_message(struct br_str body) BR_NONNULL_RESULT;

/* Add `text` to a URL with all that is not plain as %XX. */
void br_http_add_escaped(struct br_buf *url, const char *text);
