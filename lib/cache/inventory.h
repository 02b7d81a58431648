/* SPDX-License-Identifier: MIT */
/*
 * inventory.h - what a store has: its results, and the contents that they share.
 *
 * It is made by reading every result once, without a lock, while builds go on: it is true of
 * every result that was there before and after. A content that no result names is of one
 * that is being stored, or is left over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cache/hash.h"

struct br_store;

struct br_held_blob {
	uint8_t digest[BR_HASH_BYTES];
	int64_t size_bytes;
	/* When it was stored, or asked for by who would have stored it. */
	int64_t stored_ns;
	/* How many results name it that are not dropped; each counts once. */
	size_t result_count;
	/* A result that was dropped named it. */
	bool is_dropped;
};

struct br_held_result {
	uint8_t identity[BR_HASH_BYTES];
	int64_t used_ns;
	/* Of the result itself and its note. */
	int64_t own_bytes;
	/* As br_users_next() reads them. */
	struct br_buf users;
	/* Which blobs it names, by number, each once. */
	size_t *blobs;
	size_t blob_count;
	/* It cannot be read, or names what is not there: the same as none. */
	bool is_damaged;
	bool is_dropped;
};

/* Starts out all zero. */
struct br_inventory {
	/* Least recently used first. */
	struct br_held_result *results;
	size_t result_count;
	size_t result_capacity;
	/* By digest. */
	struct br_held_blob *blobs;
	size_t blob_count;
	size_t blob_capacity;
	/* Of all results and blobs that are not dropped. */
	int64_t size_bytes;
	/* When it was begun. */
	int64_t begun_ns;
};

/*
 * Look at all that `store` has.
 *
 * Ownership: the caller frees what it has with br_inventory_done(). Fails with BR_ESYSTEM
 * where a folder of the store cannot be read.
 */
bool br_inventory_build(struct br_store *store, struct br_inventory *inventory,
	struct br_err *err) BR_MUST_CHECK;

/* Free what it has. */
void br_inventory_done(struct br_inventory *inventory);

static inline void br_clean_inventory(struct br_inventory *inventory)
{
	br_inventory_done(inventory);
}

#define br_autoinventory __attribute__((cleanup(br_clean_inventory)))

/* Give the size of a result with all that it names, whoever names it too. */
int64_t br_inventory_result_bytes(const struct br_inventory *inventory,
	const struct br_held_result *result);

/* Take a result out of the account, and what it alone names. Nothing is removed yet. */
void br_inventory_drop(
	struct br_inventory *inventory, struct br_held_result *result);

/* Take it back: it was used meanwhile. */
void br_inventory_keep(
	struct br_inventory *inventory, struct br_held_result *result);
