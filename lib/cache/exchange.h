/* SPDX-License-Identifier: MIT */
/*
 * exchange.h - requests to a remote cache, several at once.
 *
 * A server is given 5 s to connect and 5 s to the first byte of an answer, and must keep up
 * a slow modem's pace after that, so that none holds a build up for long. Redirects
 * are not followed: what they lead to would get the credentials.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "cache/hash.h"

struct br_client;
struct br_remote_place;

enum br_exchange_kind {
	BR_EXCHANGE_GET,
	BR_EXCHANGE_HEAD,
	BR_EXCHANGE_PUT,
};

enum {
	/* `/cas/HASH`, with the NUL. */
	BR_EXCHANGE_PATH_BYTES = 5 + BR_HASH_TEXT_BYTES,
};

/* One request. Starts out all zero, but for `fd`, which is -1 then. */
struct br_exchange {
	enum br_exchange_kind kind;
	char path[BR_EXCHANGE_PATH_BYTES];
	/* What comes is written there, or what is sent is there; -1: `bytes`. */
	int fd;
	struct br_buf bytes;
	/* What is sent has, and what comes may have at most. */
	int64_t size_bytes;
	/* What has come. */
	int64_t got_bytes;
	/* Afterwards: whether the server has it; for a PUT, now. */
	bool is_there;
};

/* Write `/ac/HASH` or `/cas/HASH`. */
void br_exchange_path(const char *kind, const uint8_t digest[BR_HASH_BYTES],
	char path[BR_EXCHANGE_PATH_BYTES]);

/* What is to be done, request by request. */
struct br_exchange_work {
	void *ctx;
	size_t count;
	/*
	 * Fill request `number`, whose `fd` and `bytes` are freed after the other one.
	 * *is_needed is true; false says that there is nothing to do, and the other one is
	 * not called.
	 */
	bool (*begin)(void *ctx, size_t number, struct br_exchange *exchange,
		bool *is_needed, struct br_err *err);
	/*
	 * May be NULL. Take the answer; `why` is not NULL where there is none that could be used, and
	 * only what begin() has made is to go.
	 */
	bool (*end)(void *ctx, size_t number, struct br_exchange *exchange,
		const struct br_err *why, struct br_err *err);
};

/*
 * Make a client of the cache at `place`, which is borrowed. Speaks to nobody yet.
 *
 * Ownership: the caller frees *client with br_client_free(). Fails with BR_ESYSTEM where
 * there is no libcurl.
 */
bool br_client_open(const struct br_remote_place *place,
	struct br_client **client, struct br_err *err) BR_MUST_CHECK;

/* Free it; `client` may be NULL. */
void br_client_free(struct br_client *client);

BR_DEFINE_AUTO(br_client)

/*
 * Do all of `work`, a few requests at a time.
 *
 * The first failure ends it: that of begin() or end(), BR_EUNAVAIL where the server is not
 * there, too slow or refuses, BR_EPROTO where it answers what is no answer, or too much.
 */
bool br_client_run(struct br_client *client,
	const struct br_exchange_work *work, struct br_err *err) BR_MUST_CHECK;

/*
 * Do the one request `exchange`, and have its answer there.
 *
 * Ownership: what `exchange` has stays the caller's. Fails as br_client_run().
 */
bool br_client_do(struct br_client *client, struct br_exchange *exchange,
	struct br_err *err) BR_MUST_CHECK;
