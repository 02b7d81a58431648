/* SPDX-License-Identifier: MIT */
#include "engine/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"
#include "engine/diagnose.h"
#include "engine/transfer.h"
#include "engine/version.h"

enum {
	PING_TIMEOUT_MS = 30 * 1000,
	/* An error's text; what is longer was not written to be read. */
	ERROR_MAX_BYTES = 64 * 1024,
	/* Connections that are kept: one is in use at a time. */
	KEPT_CONNECTIONS = 1,
};

struct br_http {
	struct br_address address;
	int cancel_fd;
	/* All NULL before the first request. */
	struct br_curl *curl;
	CURL *easy;
	CURLM *multi;
	bool is_greeted;
	struct br_version version;
	char version_text[BR_VERSION_TEXT_BYTES];
	/* What the answers' header lines said last. */
	char api_version[32];
	char server[128];
};

/* One request on its way. */
struct exchange {
	struct br_http *http;
	const struct br_http_request *request;
	struct br_http_answer *answer;
	struct br_transfer_wait wait;
	/* The empty line after the header lines has come. */
	bool has_head;
	/* Set by a callback that gave up. */
	struct br_err failure;
};

struct br_http *br_http_new(struct br_address *address)
{
	struct br_http *http = br_alloc(sizeof(*http));

	http->address = *address;
	http->cancel_fd = -1;
	*address = (struct br_address){ 0 };
	return http;
}

void br_http_free(struct br_http *http)
{
	if (!http)
		return;
	if (http->easy)
		http->curl->easy_cleanup(http->easy);
	if (http->multi)
		(void)http->curl->multi_cleanup(http->multi);
	br_curl_free(http->curl);
	br_address_done(&http->address);
	free(http);
}

void br_http_set_cancel(struct br_http *http, int cancel_fd)
{
	http->cancel_fd = cancel_fd;
}

int br_http_cancel(const struct br_http *http)
{
	return http->cancel_fd;
}

const struct br_curl *br_http_curl(const struct br_http *http)
{
	return http->curl;
}

const struct br_address *br_http_address(const struct br_http *http)
{
	return &http->address;
}

const char *br_http_version(const struct br_http *http)
{
	return http->version_text;
}

const char *br_http_server(const struct br_http *http)
{
	return http->server;
}

bool br_http_is_podman(const struct br_http *http)
{
	return br_has_prefix(http->server, "Libpod/");
}

/* Keep the value of a header line if it is the one called `name`. */
static void take_header(
	struct br_str line, const char *name, char *value, size_t size_bytes)
{
	size_t name_len = strlen(name);

	if (line.len <= name_len || line.data[name_len] != ':' ||
		strncasecmp(line.data, name, name_len) != 0)
		return;

	const char *start = line.data + name_len + 1;
	const char *end = line.data + line.len;

	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (end > start && (end[-1] == '\r' || end[-1] == '\n'))
		end--;
	size_t len = (size_t)(end - start);
	if (len >= size_bytes)
		len = size_bytes - 1;
	memcpy(value, start, len);
	value[len] = '\0';
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct exchange *exchange = ctx;
	struct br_http *http = exchange->http;
	struct br_str line = { data, size * count };

	exchange->wait.progress_ms = br_clock_now_ms();
	exchange->has_head = br_str_is(line, "\r\n") || br_str_is(line, "\n");
	take_header(line, "Api-Version", http->api_version,
		sizeof(http->api_version));
	take_header(line, "Server", http->server, sizeof(http->server));
	return line.len;
}

/* 304 is how the engine says that there was nothing to do. */
static bool is_success(int status)
{
	return (status >= 200 && status < 300) || status == 304;
}

static bool take_body(struct exchange *exchange, const char *data, size_t len)
{
	struct br_http_answer *answer = exchange->answer;
	const struct br_http_request *request = exchange->request;

	if (!is_success(answer->status)) {
		size_t room = ERROR_MAX_BYTES - answer->body.len;

		br_buf_add(&answer->body, data, len < room ? len : room);
		return answer->body.len < ERROR_MAX_BYTES;
	}
	if (request->fn)
		return request->fn(request->ctx, data, len, &exchange->failure);
	if (answer->body.len + len > BR_LIMIT_ENGINE_ANSWER_BYTES)
		return br_fail(&exchange->failure, BR_EPROTO,
			"the engine's answer to %s %s is longer than %d bytes",
			request->method, request->path,
			BR_LIMIT_ENGINE_ANSWER_BYTES);
	br_buf_add(&answer->body, data, len);
	return true;
}

static int get_status(const struct br_http *http)
{
	long status = 0;

	http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct exchange *exchange = ctx;

	exchange->wait.progress_ms = br_clock_now_ms();
	exchange->answer->status = get_status(exchange->http);
	/* Any other count than all of it ends the transfer. */
	return take_body(exchange, data, size * count) ? size * count : 0;
}

static bool load(struct br_http *http, struct br_err *err)
{
	if (http->curl)
		return true;
	if (!br_curl_load(http->address.is_tls, &http->curl, err))
		return false;
	http->multi = http->curl->multi_init();
	if (!http->multi)
		br_out_of_memory();
	http->curl->multi_setopt(
		http->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	http->easy = br_transfer_easy(http->curl, &http->address);
	return true;
}

/*
 * The header lines of a request. The empty ones switch off what libcurl would add.
 *
 * Ownership: the caller frees the list with curl->slist_free_all().
 */
static struct curl_slist *make_headers(
	const struct br_curl *curl, const struct br_http_request *request)
{
	struct curl_slist *list = curl->slist_append(NULL, "Expect:");
	br_autofree char *type =
		br_format("Content-Type:%s%s", request->content_type ? " " : "",
			request->content_type ? request->content_type : "");

	list = curl->slist_append(list, type);
	if (request->registry_auth) {
		br_autofree char *auth = br_format(
			"X-Registry-Auth: %s", request->registry_auth);

		list = curl->slist_append(list, auth);
	}
	return list;
}

static void set_method(const struct br_curl *curl, CURL *easy,
	const struct br_http_request *request)
{
	if (!strcmp(request->method, "GET")) {
		curl->easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	if (request->body || !strcmp(request->method, "POST")) {
		curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)request->body_len);
		curl->easy_setopt(easy, CURLOPT_POSTFIELDS,
			request->body ? request->body : "");
	}
	curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_request(
	struct br_http *http, const char *url, struct exchange *exchange)
{
	const struct br_curl *curl = http->curl;
	CURL *easy = http->easy;

	curl->easy_reset(easy);
	br_transfer_aim(curl, easy, &http->address);
	curl->easy_setopt(easy, CURLOPT_URL, url);
	set_method(curl, easy, exchange->request);
	curl->easy_setopt(
		easy, CURLOPT_TIMEOUT_MS, (long)exchange->request->timeout_ms);
	curl->easy_setopt(easy, CURLOPT_FRESH_CONNECT,
		exchange->request->is_once ? 1L : 0L);
	curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
}

/* What a transfer that libcurl calls failed means. */
static bool judge(
	struct exchange *exchange, CURLcode result, struct br_err *err)
{
	struct br_http *http = exchange->http;

	/* libcurl takes a connection that ends in the head for a good end. */
	if (result == CURLE_OK && !exchange->has_head)
		result = CURLE_PARTIAL_FILE;
	if (result == CURLE_OK)
		return true;
	if (exchange->failure.code != BR_OK) {
		*err = exchange->failure;
		return false;
	}
	/* An error's text that was cut is good enough. */
	if (result == CURLE_WRITE_ERROR &&
		!is_success(exchange->answer->status))
		return true;
	return br_diagnose(http->curl, http->easy, &http->address, result, err);
}

static bool transfer(struct br_http *http, const char *url,
	struct exchange *exchange, struct br_err *err)
{
	const struct br_curl *curl = http->curl;
	struct curl_slist *headers = make_headers(curl, exchange->request);
	CURLcode result = CURLE_OK;

	set_request(http, url, exchange);
	curl->easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
	curl->multi_add_handle(http->multi, http->easy);
	bool is_driven = br_transfer_drive(
		curl, http->multi, &exchange->wait, &result, err);
	bool is_good = is_driven && judge(exchange, result, err);

	if (is_good)
		exchange->answer->status = get_status(http);
	curl->multi_remove_handle(http->multi, http->easy);
	curl->slist_free_all(headers);
	return is_good;
}

/* Send `request` to `prefix` and its path. */
static bool send_to(struct br_http *http, const char *prefix,
	const struct br_http_request *request, struct br_http_answer *answer,
	struct br_err *err)
{
	struct exchange exchange = {
		.http = http,
		.request = request,
		.answer = answer,
		.wait = {
			.cancel_fd = http->cancel_fd,
			.idle_timeout_ms = request->idle_timeout_ms,
			.progress_ms = br_clock_now_ms(),
		},
	};
	const struct br_address *address = &http->address;

	if (!load(http, err))
		return false;
	br_buf_clear(&answer->body);
	answer->status = 0;

	br_autofree char *url =
		br_format("%s%s%s%s", br_transfer_scheme(address),
			address->host_port ? address->host_port : "localhost",
			prefix, request->path);
	return transfer(http, url, &exchange, err);
}

static bool ping(struct br_http *http, struct br_err *err)
{
	static const struct br_http_request request = {
		.method = "GET",
		.path = "/_ping",
		.timeout_ms = PING_TIMEOUT_MS,
	};
	br_autoanswer struct br_http_answer answer = { 0 };
	struct br_version newest = { 0 };
	struct br_err why = { 0 };

	http->api_version[0] = '\0';
	if (!send_to(http, "", &request, &answer, err))
		return false;
	if (answer.status >= 500)
		return br_http_refuse(&answer, err) ||
			br_wrap(err, "the engine at %s", http->address.text);
	if (!br_version_parse(http->api_version, &newest, &why))
		return br_fail(err, BR_EUNAVAIL,
			"what answers at %s speaks HTTP but is no container engine: name the engine with -H or DOCKER_HOST",
			http->address.text);
	if (!br_version_choose(
		    newest, getenv("DOCKER_API_VERSION"), &http->version, err))
		return br_wrap(err, "%s", http->address.text);
	br_version_format(http->version, http->version_text);
	http->is_greeted = true;
	return true;
}

bool br_http_greet(struct br_http *http, struct br_err *err)
{
	return http->is_greeted || ping(http, err);
}

static bool send_versioned(struct br_http *http,
	const struct br_http_request *request, struct br_http_answer *answer,
	struct br_err *err)
{
	br_autofree char *prefix = br_format("/v%s", http->version_text);

	return send_to(http, prefix, request, answer, err);
}

/* "client version 1.47 is too new. Maximum supported API version is 1.41" */
static bool is_wrong_version(const struct br_http_answer *answer)
{
	const char *text = br_buf_text(&answer->body);

	return answer->status == 400 && strstr(text, "client version") &&
		(strstr(text, "is too new") || strstr(text, "is too old"));
}

bool br_http_call(struct br_http *http, const struct br_http_request *request,
	struct br_http_answer *answer, struct br_err *err)
{
	if (!br_http_greet(http, err) ||
		!send_versioned(http, request, answer, err))
		return false;
	if (!is_wrong_version(answer))
		return true;

	struct br_version before = http->version;
	if (!ping(http, err))
		return false;
	if (before.major == http->version.major &&
		before.minor == http->version.minor) {
		br_autofree char *message =
			br_http_message(br_buf_str(&answer->body));

		return br_fail(err, BR_EPROTO, "the engine says: %s", message);
	}
	return send_versioned(http, request, answer, err);
}

bool br_http_want(struct br_http *http, const struct br_http_request *request,
	struct br_http_answer *answer, struct br_err *err)
{
	return br_http_call(http, request, answer, err) &&
		(is_success(answer->status) || br_http_refuse(answer, err));
}
