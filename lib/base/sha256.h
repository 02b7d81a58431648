/* SPDX-License-Identifier: MIT */
/*
 * sha256.h - SHA-256 (FIPS 180-4).
 *
 * Feed bytes in any cut, then take the digest:
 *
 *	struct br_sha256 sha;
 *
 *	br_sha256_init(&sha);
 *	br_sha256_feed(&sha, data, len);
 *	br_sha256_end(&sha, digest);
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	BR_SHA256_BYTES = 32,
	BR_SHA256_BLOCK_BYTES = 64,
	/* What the text form takes, with its NUL. */
	BR_SHA256_TEXT_BYTES = 2 * BR_SHA256_BYTES + 1,
};

/* Starts out by br_sha256_init(). Private, except that callers allocate it. */
struct br_sha256 {
	uint32_t state[8];
	uint64_t total_bytes;
	/* The last bytes, which do not fill a block yet. */
	uint8_t block[BR_SHA256_BLOCK_BYTES];
	size_t block_len;
};

/* Begin. */
void br_sha256_init(struct br_sha256 *sha);

/* Take the next bytes. */
void br_sha256_feed(struct br_sha256 *sha, const void *data, size_t len);

/* Write the digest of all bytes; `sha` needs br_sha256_init() again. */
void br_sha256_end(struct br_sha256 *sha, uint8_t digest[BR_SHA256_BYTES]);

/* Write a digest in lower-case hex. */
void br_sha256_format(
	const uint8_t digest[BR_SHA256_BYTES], char text[BR_SHA256_TEXT_BYTES]);
