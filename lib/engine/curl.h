/* SPDX-License-Identifier: MIT */
/*
 * curl.h - libcurl, loaded when it is first needed.
 *
 * Only http.c and stream.c include this. They call libcurl through the table, under
 * the names that its manual has without `curl_`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "engine/address.h"

struct br_curl {
	void *library;
	CURLcode (*global_init)(long flags);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	void (*easy_reset)(CURL *easy);
	void (*easy_cleanup)(CURL *easy);
	CURLcode (*easy_recv)(CURL *easy, void *data, size_t len, size_t *n);
	CURLcode (*easy_send)(
		CURL *easy, const void *data, size_t len, size_t *n);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_perform)(CURLM *multi, int *running);
	CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *extra,
		unsigned count, int timeout_ms, int *ready);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	struct curl_slist *(*slist_append)(
		struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};

/*
 * Load libcurl, with what TLS needs where `is_tls`.
 *
 * Ownership: the caller frees *curl with br_curl_free(). Fails with BR_ESYSTEM
 * where it is not installed or too old.
 */
bool br_curl_load(
	bool is_tls, struct br_curl **curl, struct br_err *err) BR_MUST_CHECK;

/* Let libcurl go. `curl` may be NULL; none of its handles may be left. */
void br_curl_free(struct br_curl *curl);

BR_DEFINE_AUTO(br_curl)

/*
 * Make an easy handle whose connections go to `address`.
 *
 * Ownership: the caller frees it with curl->easy_cleanup(), or gives it to
 * curl->easy_reset() and br_curl_aim() for the next use.
 */
CURL *br_curl_easy(const struct br_curl *curl,
	const struct br_address *address) BR_NONNULL_RESULT;

/* Set what all transfers to `address` have in common. Borrows `address`. */
void br_curl_aim(const struct br_curl *curl, CURL *easy,
	const struct br_address *address);

/* Give `http://` or `https://` and the host, as a URL to `address` begins. */
const char *br_curl_scheme(const struct br_address *address) BR_NONNULL_RESULT;

/* How long to drive a transfer. */
struct br_curl_wait {
	/* Readable: give up. -1: never. */
	int cancel_fd;
	/* Time without any progress; 0: any time. */
	int64_t idle_timeout_ms;
	/* When there was progress last, on br_clock_now_ms(). The callbacks of the
	 * transfer move it on. */
	int64_t progress_ms;
};

/*
 * Drive the one transfer in `multi` to its end, and say how that was.
 *
 * Fails with BR_ECANCELED, with BR_EUNAVAIL after the idle timeout, and with
 * BR_ESYSTEM where libcurl cannot go on.
 */
bool br_curl_drive(const struct br_curl *curl, CURLM *multi,
	const struct br_curl_wait *wait, CURLcode *result,
	struct br_err *err) BR_MUST_CHECK;
