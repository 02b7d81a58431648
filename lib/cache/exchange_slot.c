/* SPDX-License-Identifier: MIT */
#include "cache/exchange_slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "cache/remote_place.h"

enum {
	CONNECT_TIMEOUT_MS = 5 * 1000,
	FIRST_BYTE_TIMEOUT_MS = 5 * 1000,
	/* What comes is waited for by a stage; what goes is not. */
	GET_BYTES_A_SECOND = 16 * 1024,
	GET_SECONDS = 15,
	PUT_BYTES_A_SECOND = 1024,
	PUT_SECONDS = 30,
	/* Of an answer that is none. */
	ERROR_MAX_BYTES = 64 * 1024,
};

void br_slot_open(struct br_slot *slot, const struct br_curl *curl)
{
	slot->curl = curl;
	slot->easy = curl->easy_init();
	if (!slot->easy)
		br_out_of_memory();
}

void br_slot_reset(struct br_slot *slot, size_t number)
{
	*slot = (struct br_slot){
		.curl = slot->curl,
		.easy = slot->easy,
		.number = number,
		.exchange.fd = -1,
		.started_ms = br_clock_now_ms(),
	};
	slot->curl->easy_reset(slot->easy);
}

static long status_of(const struct br_slot *slot)
{
	long status = 0;

	slot->curl->easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct br_slot *slot = ctx;

	(void)data;
	slot->has_answer = true;
	return size * count;
}

static bool take(struct br_slot *slot, const char *data, size_t len)
{
	struct br_exchange *exchange = &slot->exchange;

	exchange->got_bytes += (int64_t)len;
	if (status_of(slot) != 200)
		return exchange->got_bytes <= ERROR_MAX_BYTES;
	if (exchange->got_bytes > exchange->size_bytes)
		return false;
	if (exchange->fd >= 0)
		return br_file_write(exchange->fd, data, len, &slot->failure);
	br_buf_add(&exchange->bytes, data, len);
	return true;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	/* Any other count than all of it ends the transfer. */
	return take(ctx, data, size * count) ? size * count : 0;
}

static size_t on_send(char *data, size_t size, size_t count, void *ctx)
{
	struct br_slot *slot = ctx;
	struct br_exchange *exchange = &slot->exchange;
	size_t room = size * count;

	if (exchange->fd >= 0) {
		ssize_t len = pread(exchange->fd, data, room, slot->sent_bytes);

		if (len < 0)
			return CURL_READFUNC_ABORT;
		slot->sent_bytes += len;
		return (size_t)len;
	}

	size_t left = exchange->bytes.len - (size_t)slot->sent_bytes;
	size_t len = left < room ? left : room;
	if (len > 0)
		memcpy(data, exchange->bytes.data + slot->sent_bytes, len);
	slot->sent_bytes += (int64_t)len;
	return len;
}

/* A kept connection may turn out to be closed, and all is sent again. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct br_slot *slot = ctx;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	slot->sent_bytes = offset;
	return CURL_SEEKFUNC_OK;
}

/* Any other value than 0 ends the transfer. */
static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down_now,
	curl_off_t up_total, curl_off_t up_now)
{
	struct br_slot *slot = ctx;
	curl_off_t asked_us = 0;

	(void)down_total;
	(void)down_now;
	(void)up_total;
	(void)up_now;
	if (slot->has_answer || slot->exchange.kind == BR_EXCHANGE_PUT)
		return 0;
	/* 0 until there is a connection, which has a limit of its own. */
	slot->curl->easy_getinfo(
		slot->easy, CURLINFO_PRETRANSFER_TIME_T, &asked_us);
	return asked_us > 0 &&
		br_clock_now_ms() - slot->started_ms - asked_us / 1000 >
		FIRST_BYTE_TIMEOUT_MS;
}

static void aim_credentials(
	const struct br_slot *slot, const struct br_remote_place *place)
{
	const struct br_curl *curl = slot->curl;

	if (place->token) {
		curl->easy_setopt(
			slot->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl->easy_setopt(
			slot->easy, CURLOPT_XOAUTH2_BEARER, place->token);
		return;
	}
	curl->easy_setopt(slot->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	if (place->user) {
		curl->easy_setopt(slot->easy, CURLOPT_USERNAME, place->user);
		curl->easy_setopt(slot->easy, CURLOPT_PASSWORD,
			place->password ? place->password : "");
	} else {
		curl->easy_setopt(
			slot->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
}

static void aim_kind(struct br_slot *slot)
{
	const struct br_curl *curl = slot->curl;
	bool is_put = slot->exchange.kind == BR_EXCHANGE_PUT;

	curl->easy_setopt(slot->easy, CURLOPT_LOW_SPEED_LIMIT,
		is_put ? (long)PUT_BYTES_A_SECOND : (long)GET_BYTES_A_SECOND);
	curl->easy_setopt(slot->easy, CURLOPT_LOW_SPEED_TIME,
		is_put ? (long)PUT_SECONDS : (long)GET_SECONDS);
	if (slot->exchange.kind == BR_EXCHANGE_HEAD)
		curl->easy_setopt(slot->easy, CURLOPT_NOBODY, 1L);
	if (!is_put)
		return;
	curl->easy_setopt(slot->easy, CURLOPT_UPLOAD, 1L);
	curl->easy_setopt(slot->easy, CURLOPT_INFILESIZE_LARGE,
		(curl_off_t)slot->exchange.size_bytes);
	curl->easy_setopt(slot->easy, CURLOPT_READFUNCTION, on_send);
	curl->easy_setopt(slot->easy, CURLOPT_READDATA, slot);
	curl->easy_setopt(slot->easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl->easy_setopt(slot->easy, CURLOPT_SEEKDATA, slot);
}

void br_slot_aim(struct br_slot *slot, const struct br_remote_place *place,
	struct curl_slist *headers)
{
	const struct br_curl *curl = slot->curl;
	br_autofree char *url =
		br_format("%s%s", place->base, slot->exchange.path);

	curl->easy_setopt(slot->easy, CURLOPT_URL, url);
	curl->easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(slot->easy, CURLOPT_USERAGENT, "buildr");
	curl->easy_setopt(
		slot->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(slot->easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)CONNECT_TIMEOUT_MS);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A name that nobody resolves is given up in time too; libcurl would wait for that. */
	curl->easy_setopt(slot->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl->easy_setopt(slot->easy, CURLOPT_HTTPHEADER, headers);
	curl->easy_setopt(slot->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(slot->easy, CURLOPT_HEADERDATA, slot);
	curl->easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot);
	curl->easy_setopt(slot->easy, CURLOPT_NOPROGRESS, 0L);
	curl->easy_setopt(slot->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl->easy_setopt(slot->easy, CURLOPT_XFERINFODATA, slot);
	if (place->ca_file)
		curl->easy_setopt(slot->easy, CURLOPT_CAINFO, place->ca_file);
	aim_credentials(slot, place);
	aim_kind(slot);
}

static const char *method_of(const struct br_slot *slot)
{
	switch (slot->exchange.kind) {
	case BR_EXCHANGE_GET:
		return "GET";
	case BR_EXCHANGE_HEAD:
		return "HEAD";
	case BR_EXCHANGE_PUT:
		return "PUT";
	}
	return "";
}

static bool fail_of_status(const struct br_slot *slot,
	const struct br_remote_place *place, long status, struct br_err *err)
{
	const char *meaning = "";

	if (status >= 300 && status < 400)
		meaning = ", a redirect, which is not followed";
	else if (status == 401)
		meaning = ": it wants other credentials";
	else if (status == 403 || status == 405)
		meaning = ": it does not allow that";
	else if (status == 413)
		meaning = ": it does not take so large a file";
	return br_fail(err, BR_EUNAVAIL,
		"the remote cache %s answers %s %s with status %ld%s",
		place->base, method_of(slot), slot->exchange.path, status,
		meaning);
}

static bool judge_status(struct br_slot *slot,
	const struct br_remote_place *place, struct br_err *err)
{
	long status = status_of(slot);
	bool is_put = slot->exchange.kind == BR_EXCHANGE_PUT;
	bool is_head = slot->exchange.kind == BR_EXCHANGE_HEAD;

	slot->exchange.is_there = is_put
		? status == 200 || status == 201 || status == 204
		: status == 200;
	/* Who does not know HEAD gets everything. */
	if (slot->exchange.is_there || (status == 404 && !is_put) ||
		((status == 405 || status == 501) && is_head))
		return true;
	return fail_of_status(slot, place, status, err);
}

static bool fail_of_transfer(const struct br_slot *slot,
	const struct br_remote_place *place, CURLcode code, struct br_err *err)
{
	const char *cause = slot->curl->easy_strerror(code);

	if (slot->failure.code != BR_OK) {
		*err = slot->failure;
		return br_wrap(err, "keep what the remote cache sends");
	}
	if (code == CURLE_WRITE_ERROR)
		return br_fail(err, BR_EPROTO,
			"the remote cache %s sends more than %lld bytes for "
			"%s",
			place->base, (long long)slot->exchange.size_bytes,
			slot->exchange.path);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		cause = "no answer within 5 seconds";
	else if (code == CURLE_OPERATION_TIMEDOUT)
		cause = slot->has_answer ? "too slow" : "no answer in time";
	return br_fail(err, BR_EUNAVAIL, "%s %s%s: %s", method_of(slot),
		place->base, slot->exchange.path, cause);
}

bool br_slot_judge(struct br_slot *slot, const struct br_remote_place *place,
	CURLcode code, struct br_err *err)
{
	/* The text of an error may be cut. */
	bool is_refused = code == CURLE_WRITE_ERROR && status_of(slot) != 200;

	if (code != CURLE_OK && !is_refused)
		return fail_of_transfer(slot, place, code, err);
	return judge_status(slot, place, err);
}
