/* SPDX-License-Identifier: MIT */
/* exchange_slot.h - one request of exchange.c on its way through libcurl. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/exchange.h"
#include "http/curl.h"

struct br_slot {
	/* Borrowed. */
	const struct br_curl *curl;
	/* Kept from one request to the next, and its connection with it. */
	CURL *easy;
	bool is_busy;
	size_t number;
	struct br_exchange exchange;
	int64_t started_ms;
	/* Of what is sent. */
	int64_t sent_bytes;
	/* The answer has begun. */
	bool has_answer;
	/* Set by a callback that gave up. */
	struct br_err failure;
};

/* Make one without a request. Its handle is the caller's to free. */
void br_slot_open(struct br_slot *slot, const struct br_curl *curl);

/* Make it ready for request `number`. */
void br_slot_reset(struct br_slot *slot, size_t number);

/* Have its handle do its request. Borrows everything until that is over. */
void br_slot_aim(struct br_slot *slot, const struct br_remote_place *place,
	struct curl_slist *headers);

/*
 * Say what it means that the transfer has ended with `code`. Fails with BR_EUNAVAIL or
 * BR_EPROTO, naming the server.
 */
bool br_slot_judge(struct br_slot *slot, const struct br_remote_place *place,
	CURLcode code, struct br_err *err) BR_MUST_CHECK;
