/* SPDX-License-Identifier: MIT */
/*
 * curl.h - libcurl, loaded when it is first needed: linking it costs every start 3 ms.
 *
 * It is called through the table, under the names that its manual has without `curl_`.
 */
#pragma once

#include <stdbool.h>

#include <curl/curl.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"

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
