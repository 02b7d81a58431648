/* SPDX-License-Identifier: MIT */
/*
 * remote.h - a remote cache beside a build, which never waits for it.
 *
 * Two processes, made when they are first needed, do what can take time: one gets results into
 * the store, one sends them. Whoever runs the build asks, polls one descriptor and hears what
 * has become of it. After one failure there is one warning, and the cache is left
 * out: nothing that it does can fail a build. If this process goes, they do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "cache/hash.h"

struct br_remote;

/* Strings are copied. */
struct br_remote_options {
	/* As br_remote_place_parse() reads it. */
	const char *url;
	/* Sent as `Authorization: Bearer`; NULL: none. */
	const char *token;
	/* Authorities as PEM; NULL: the system's. */
	const char *ca_file;
	/* Nothing is sent. */
	bool is_read_only;
	/* Of the store; each process opens it for itself. */
	const char *store_folder;
};

/* Who hears of it; both are called by br_remote_work() only. */
struct br_remote_handlers {
	void *ctx;
	/* Once for each br_remote_fetch(): whether the store has it now. */
	void (*fetched)(void *ctx, const uint8_t identity[BR_HASH_BYTES],
		bool is_there);
	/* At most once. The text is borrowed for the call. */
	void (*left_out)(void *ctx, const char *text);
};

/*
 * Make ready to speak to the cache that `options` name. Starts nothing.
 *
 * Ownership: the caller frees *remote with br_remote_free(). Fails with BR_EINPUT where the
 * URL is none, and BR_ESYSTEM.
 */
bool br_remote_open(const struct br_remote_options *options,
	struct br_remote **remote, struct br_err *err) BR_MUST_CHECK;

/* End its processes at once, whatever they are doing. `remote` may be NULL. */
void br_remote_free(struct br_remote *remote);

BR_DEFINE_AUTO(br_remote)

/*
 * Ask for a result, for when the store has none. False: it is not asked for, since the cache
 * is left out, and nobody will hear of it.
 */
bool br_remote_fetch(
	struct br_remote *remote, const uint8_t identity[BR_HASH_BYTES]);

/* Send a result that was stored, unless the cache is read-only or left out. */
void br_remote_push(
	struct br_remote *remote, const uint8_t identity[BR_HASH_BYTES]);

/* Give what to poll for reading: when it is readable, br_remote_work(). The remote's. */
int br_remote_fd(const struct br_remote *remote);

/* Take what there is to hear, without waiting. */
void br_remote_work(
	struct br_remote *remote, const struct br_remote_handlers *handlers);

/* Say whether something is still being got or sent, or is to be told. */
bool br_remote_is_busy(const struct br_remote *remote);

/*
 * Say whether something is still being sent, or is to be told: a build ends when it is not,
 * but not for what is still being got, which nobody waits for then.
 */
bool br_remote_is_sending(const struct br_remote *remote);
