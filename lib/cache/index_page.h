/* SPDX-License-Identifier: MIT */
/*
 * index_page.h - a row of the index: what is known of up to 64 inodes.
 *
 * As bytes: the first 8 of the SHA-256 of all that follows, then the device, the number
 * of the page, and for each file its inode, size, mtime and ctime, 8 bytes each with the lowest
 * first, and its digest. The sum is there because a wrong digest would let the cache
 * lie, and a database notices only some of what a disk can do to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cache/file_facts.h"
#include "cache/hash.h"

/* Inodes of one page. */
enum { BR_INDEX_PAGE_INODES = 64 };

struct br_index_entry {
	struct br_file_facts facts;
	uint8_t digest[BR_HASH_BYTES];
	/* Not in the database yet. */
	bool is_new;
};

/* Starts out all zero. */
struct br_index_page {
	uint64_t device;
	/* The inode by BR_INDEX_PAGE_INODES. */
	uint64_t number;
	struct br_index_entry *entries;
	size_t count;
	size_t capacity;
	bool is_changed;
	/* The day since 1970 on which the database says that it was used. */
	int64_t used_day;
};

/* Find what is known of an inode; NULL: nothing. Borrowed from the page. */
const struct br_index_entry *br_index_page_find(
	const struct br_index_page *page, uint64_t inode);

/* Put an entry in, in the place of one for the same inode. */
void br_index_page_put(
	struct br_index_page *page, const struct br_index_entry *entry);

/* Add the bytes of a page to `bytes`. */
void br_index_page_encode(
	const struct br_index_page *page, struct br_buf *bytes);

/*
 * Put what the bytes of the same page have into `page`, but for inodes of which it has
 * something new. Bytes that are no page, or of another, are as none.
 */
void br_index_page_decode(
	struct br_index_page *page, const void *bytes, size_t len);

/* Free what it has. */
void br_index_page_done(struct br_index_page *page);
