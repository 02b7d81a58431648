/* SPDX-License-Identifier: MIT */
/*
 * transfer.h - transfers to and from the engine through libcurl.
 *
 * Only http.c and stream.c include this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/address.h"
#include "http/curl.h"

/*
 * Make an easy handle whose connections go to `address`.
 *
 * Ownership: the caller frees it with curl->easy_cleanup(), or gives it to
 * curl->easy_reset() and br_transfer_aim() for the next use.
 */
CURL *br_transfer_easy(const struct br_curl *curl,
	const struct br_address *address) BR_NONNULL_RESULT;

/* Set what all transfers to `address` have in common. Borrows `address`. */
void br_transfer_aim(const struct br_curl *curl, CURL *easy,
	const struct br_address *address);

/* Give `http://` or `https://` and the host, as a URL to `address` begins. */
const char *br_transfer_scheme(
	const struct br_address *address) BR_NONNULL_RESULT;

/* How long to drive a transfer. */
struct br_transfer_wait {
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
bool br_transfer_drive(const struct br_curl *curl, CURLM *multi,
	const struct br_transfer_wait *wait, CURLcode *result,
	struct br_err *err) BR_MUST_CHECK;
