/* SPDX-License-Identifier: MIT */
#include "engine/transfer.h"

#include "base/alloc.h"
#include "base/clock.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	/* Firewalls forget a connection that is silent, as a build may be. */
	KEEPALIVE_SECONDS = 30,
	/* How often the idle timeout is looked at. */
	POLL_MS = 1000,
};

CURL *br_transfer_easy(
	const struct br_curl *curl, const struct br_address *address)
{
	CURL *easy = curl->easy_init();

	/* It only fails for want of memory. */
	if (!easy)
		br_out_of_memory();
	br_transfer_aim(curl, easy, address);
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

void br_transfer_aim(const struct br_curl *curl, CURL *easy,
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

const char *br_transfer_scheme(const struct br_address *address)
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
	const struct br_transfer_wait *wait, int timeout_ms, struct br_err *err)
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

bool br_transfer_drive(const struct br_curl *curl, CURLM *multi,
	const struct br_transfer_wait *wait, CURLcode *result,
	struct br_err *err)
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
