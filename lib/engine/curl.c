/* SPDX-License-Identifier: MIT */
#include "engine/curl.h"

#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	/* Firewalls forget a connection that is silent, as a build may be. */
	KEEPALIVE_SECONDS = 30,
	/* How often the idle timeout is looked at. */
	POLL_MS = 1000,
};

struct symbol {
	const char *name;
	size_t offset;
};

#define SYMBOL(member) \
	{ \
		.name = "curl_" #member, \
		.offset = offsetof(struct br_curl, member), \
	}

static const struct symbol symbols[] = {
	SYMBOL(global_init),
	SYMBOL(global_cleanup),
	SYMBOL(easy_init),
	SYMBOL(easy_setopt),
	SYMBOL(easy_getinfo),
	SYMBOL(easy_strerror),
	SYMBOL(easy_reset),
	SYMBOL(easy_cleanup),
	SYMBOL(easy_recv),
	SYMBOL(easy_send),
	SYMBOL(multi_init),
	SYMBOL(multi_setopt),
	SYMBOL(multi_add_handle),
	SYMBOL(multi_remove_handle),
	SYMBOL(multi_perform),
	SYMBOL(multi_poll),
	SYMBOL(multi_info_read),
	SYMBOL(multi_cleanup),
	SYMBOL(slist_append),
	SYMBOL(slist_free_all),
};

static bool find_symbols(struct br_curl *curl, struct br_err *err)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *found = dlsym(curl->library, symbols[i].name);

		if (!found)
			return br_fail(err, BR_ESYSTEM,
				"load libcurl: it has no %s", symbols[i].name);
		/* POSIX: a function's address may be kept in a void pointer. */
		memcpy((char *)curl + symbols[i].offset, &found, sizeof(found));
	}
	return true;
}

static void on_abort(int number)
{
	(void)number;
	br_out_of_memory();
}

static bool start(struct br_curl *curl, bool is_tls, struct br_err *err)
{
	/* NODELETE: libraries under it do not survive being unloaded. */
	curl->library =
		dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!curl->library)
		return br_fail(err, BR_ESYSTEM, "load libcurl: %s", dlerror());
	if (!find_symbols(curl, err)) {
		curl->global_cleanup = NULL;
		return false;
	}
	if (curl->global_init(
		    is_tls ? CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING)) {
		curl->global_cleanup = NULL;
		return br_fail(err, BR_ESYSTEM, "load libcurl: no start");
	}
	return true;
}

bool br_curl_load(bool is_tls, struct br_curl **curl, struct br_err *err)
{
	br_auto(br_curl) struct br_curl *loaded = br_alloc(sizeof(*loaded));
	const struct sigaction action = { .sa_handler = on_abort };
	struct sigaction before = { 0 };

	/* Libraries under it abort where they find no memory at their start. */
	(void)sigaction(SIGABRT, &action, &before);
	bool is_started = start(loaded, is_tls, err);
	(void)sigaction(SIGABRT, &before, NULL);
	if (!is_started)
		return false;
	*curl = br_take_ptr(&loaded);
	return true;
}

void br_curl_free(struct br_curl *curl)
{
	if (!curl)
		return;
	if (curl->global_cleanup)
		curl->global_cleanup();
	if (curl->library)
		(void)dlclose(curl->library);
	free(curl);
}

CURL *br_curl_easy(const struct br_curl *curl, const struct br_address *address)
{
	CURL *easy = curl->easy_init();

	/* It only fails for want of memory. */
	if (!easy)
		br_out_of_memory();
	br_curl_aim(curl, easy, address);
	return easy;
}

static void aim_tls(const struct br_curl *curl, CURL *easy,
	const struct br_address *address)
{
	long is_verified = address->is_verified;

	curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, is_verified);
	curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, is_verified ? 2L : 0L);
	/* Nobody but HTTP/1.1 has the upgrade that attaching needs. */
	curl->easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (address->ca_path)
		curl->easy_setopt(easy, CURLOPT_CAINFO, address->ca_path);
	if (address->cert_path)
		curl->easy_setopt(easy, CURLOPT_SSLCERT, address->cert_path);
	if (address->key_path)
		curl->easy_setopt(easy, CURLOPT_SSLKEY, address->key_path);
}

void br_curl_aim(const struct br_curl *curl, CURL *easy,
	const struct br_address *address)
{
	curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(
		easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(
		easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	/* A proxy for the web is none for an engine, and breaks attaching. */
	curl->easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl->easy_setopt(easy, CURLOPT_USERAGENT, "buildr");
	if (address->socket_path) {
		curl->easy_setopt(
			easy, CURLOPT_UNIX_SOCKET_PATH, address->socket_path);
		return;
	}
	curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_SECONDS);
	curl->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_SECONDS);
	if (address->is_tls)
		aim_tls(curl, easy, address);
}

const char *br_curl_scheme(const struct br_address *address)
{
	return address->is_tls ? "https://" : "http://";
}

/* Whether the transfer is over, and how it went. */
static bool is_done(const struct br_curl *curl, CURLM *multi, CURLcode *result)
{
	int left = 0;
	const CURLMsg *message = curl->multi_info_read(multi, &left);

	if (!message || message->msg != CURLMSG_DONE)
		return false;
	*result = message->data.result;
	return true;
}

/* Wait for the transfer or a reason to give it up. */
static bool wait_once(const struct br_curl *curl, CURLM *multi,
	const struct br_curl_wait *wait, int timeout_ms, struct br_err *err)
{
	struct curl_waitfd cancel = {
		.fd = wait->cancel_fd,
		.events = CURL_WAIT_POLLIN,
	};
	unsigned extra_count = wait->cancel_fd >= 0 ? 1 : 0;

	if (curl->multi_poll(multi, &cancel, extra_count, timeout_ms, NULL))
		return br_fail(err, BR_ESYSTEM, "wait for the engine");
	if (cancel.revents)
		return br_fail(err, BR_ECANCELED, "stopped on request");
	if (wait->idle_timeout_ms > 0 &&
		br_clock_now_ms() - wait->progress_ms > wait->idle_timeout_ms)
		return br_fail(err, BR_EUNAVAIL,
			"the engine has been silent for %d seconds",
			(int)(wait->idle_timeout_ms / 1000));
	return true;
}

bool br_curl_drive(const struct br_curl *curl, CURLM *multi,
	const struct br_curl_wait *wait, CURLcode *result, struct br_err *err)
{
	int running = 0;

	/* A request that is not wanted any more must not even be sent. */
	if (wait->cancel_fd >= 0 && !wait_once(curl, multi, wait, 0, err))
		return false;
	for (;;) {
		if (curl->multi_perform(multi, &running))
			return br_fail(
				err, BR_ESYSTEM, "libcurl could not go on");
		if (is_done(curl, multi, result))
			return true;
		if (!wait_once(curl, multi, wait, POLL_MS, err))
			return false;
	}
}
