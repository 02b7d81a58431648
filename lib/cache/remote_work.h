/* SPDX-License-Identifier: MIT */
/*
 * remote_work.h - what is done with a remote cache, by a process that may wait for it.
 *
 * A result is there under `/ac/IDENTITY` in the form of stored.h, without the seal, its contents
 * under `/cas/HASH`: the HTTP form of the Bazel remote cache protocol. Contents come first
 * and the result last, as in the store.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/hash.h"

struct br_client;
struct br_store;

/*
 * Have the result of an identity, and all that it names, in the store.
 *
 * *is_there is false where the server has none of it, or not all. Limits: those of limits.h
 * for a result, and BR_LIMIT_REMOTE_MIB for all that it names. Fails as br_client_run(), with
 * BR_EPROTO where what comes is not what it should be, and with BR_ESYSTEM where it
 * cannot be stored.
 */
bool br_remote_work_fetch(struct br_client *client, struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], bool *is_there,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Send a result of the store, and what it names unless the server has it. One that is no
 * longer there, or is damaged, is not sent, and that is no failure.
 *
 * Fails as br_client_run().
 */
bool br_remote_work_push(struct br_client *client, struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES],
	struct br_err *err) BR_MUST_CHECK;
