/* SPDX-License-Identifier: MIT */
/*
 * hash.h - SHA-256 of what a cache is about: files, blobs, texts.
 *
 * By nettle, which uses the processor's own instructions where it has them; for a
 * few bytes base/sha256.h is as good and links nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct br_index;
struct br_listing;

enum {
	BR_HASH_BYTES = 32,
	/* What its lower-case hex takes, with the NUL. */
	BR_HASH_TEXT_BYTES = 2 * BR_HASH_BYTES + 1,
};

/* Hash `len` bytes. */
void br_hash_bytes(const void *data, size_t len, uint8_t digest[BR_HASH_BYTES]);

/* Hash `len` bytes so that only who has `key` can (HMAC-SHA-256). */
void br_hash_keyed(const uint8_t key[BR_HASH_BYTES], const void *data,
	size_t len, uint8_t digest[BR_HASH_BYTES]);

/*
 * Hash what `fd` has from where it is to its end, and write that to `copy_fd` too
 * unless it is -1. Adds the count of bytes to *size_bytes, which may be NULL.
 *
 * Fails with BR_ESYSTEM; errno is that of read(2) or write(2).
 */
bool br_hash_fd(int fd, int copy_fd, uint8_t digest[BR_HASH_BYTES],
	int64_t *size_bytes, struct br_err *err) BR_MUST_CHECK;

/* br_hash_fd(), and its sum (sum.h) too. Adds to *size_bytes. */
bool br_hash_fd_summed(int fd, int copy_fd, uint8_t digest[BR_HASH_BYTES],
	uint64_t *sum, int64_t *size_bytes, struct br_err *err) BR_MUST_CHECK;

/* br_hash_fd(), but only the sum. Adds to *size_bytes. */
bool br_hash_sum_fd(int fd, int copy_fd, uint64_t *sum, int64_t *size_bytes,
	struct br_err *err) BR_MUST_CHECK;

/* Write a digest in lower-case hex. */
void br_hash_format(
	const uint8_t digest[BR_HASH_BYTES], char text[BR_HASH_TEXT_BYTES]);

/* Read 64 lower-case hex digits and nothing else. */
bool br_hash_parse(const char *text, size_t len, uint8_t digest[BR_HASH_BYTES]);

/*
 * Give every file of `listing`, which lie in `root_fd`, its digest: from `index` where
 * that knows it, else by reading it, in as many processes as it is worth. Their
 * facts are then those of the bytes that were hashed. Files that have vanished are
 * taken off the list. The index learns what was read and is saved.
 *
 * Fails with BR_ESYSTEM, naming it, where a file cannot be read, and with BR_EUNAVAIL
 * where one changes again and again while it is read.
 */
bool br_hash_listing(struct br_index *index, int root_fd,
	struct br_listing *listing, struct br_err *err) BR_MUST_CHECK;
