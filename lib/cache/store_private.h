/* SPDX-License-Identifier: MIT */
/* store_private.h - what the files of the store share. */
#pragma once

#include "base/attr.h"
#include "cache/store.h"

struct br_store {
	char *folder;
	int fd;
	/* NULL: nobody has asked for it yet. */
	struct br_index *index;
};

/* Store a result whose blobs are all there. Fails as br_store_put(). */
bool br_store_save(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], const struct br_stored *result,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read a result without counting that as a use; false where there is none or it is
 * damaged. Ownership: the caller frees *stored with br_stored_done().
 */
bool br_store_peek(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_stored *stored);
