/* SPDX-License-Identifier: MIT */
#include "cache/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/hmac.h>
#include <nettle/sha2.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "cache/sum.h"

/* Fits the second-level cache of any processor; larger reads are not faster. */
enum { CHUNK_BYTES = 128 * 1024 };

_Static_assert((int)BR_HASH_BYTES == (int)SHA256_DIGEST_SIZE, "SHA-256");

void br_hash_bytes(const void *data, size_t len, uint8_t digest[BR_HASH_BYTES])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, len, data);
	sha256_digest(&sha, BR_HASH_BYTES, digest);
}

void br_hash_keyed(const uint8_t key[BR_HASH_BYTES], const void *data,
	size_t len, uint8_t digest[BR_HASH_BYTES])
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, BR_HASH_BYTES, key);
	hmac_sha256_update(&hmac, len, data);
	hmac_sha256_digest(&hmac, BR_HASH_BYTES, digest);
}

/* Read to the end, for each of the two that is not NULL. */
static bool read_fd(int fd, int copy_fd, struct sha256_ctx *sha,
	struct br_sum *sum, int64_t *size_bytes, struct br_err *err)
{
	br_autofree uint8_t *chunk = br_alloc(CHUNK_BYTES);

	while (true) {
		ssize_t len = read(fd, chunk, CHUNK_BYTES);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return br_fail_errno(err, "read");
		if (len == 0)
			return true;
		if (sha)
			sha256_update(sha, (size_t)len, chunk);
		if (sum)
			br_sum_add(sum, chunk, (size_t)len);
		*size_bytes += len;
		if (copy_fd >= 0 &&
			!br_file_write(copy_fd, chunk, (size_t)len, err))
			return false;
	}
}

bool br_hash_fd(int fd, int copy_fd, uint8_t digest[BR_HASH_BYTES],
	int64_t *size_bytes, struct br_err *err)
{
	struct sha256_ctx sha;
	int64_t total = 0;

	sha256_init(&sha);
	if (!read_fd(fd, copy_fd, &sha, NULL, &total, err))
		return false;
	sha256_digest(&sha, BR_HASH_BYTES, digest);
	if (size_bytes)
		*size_bytes += total;
	return true;
}

bool br_hash_fd_summed(int fd, int copy_fd, uint8_t digest[BR_HASH_BYTES],
	uint64_t *sum, int64_t *size_bytes, struct br_err *err)
{
	struct sha256_ctx sha;
	struct br_sum summing;

	sha256_init(&sha);
	br_sum_init(&summing);
	if (!read_fd(fd, copy_fd, &sha, &summing, size_bytes, err))
		return false;
	sha256_digest(&sha, BR_HASH_BYTES, digest);
	*sum = br_sum_end(&summing);
	return true;
}

bool br_hash_sum_fd(int fd, int copy_fd, uint64_t *sum, int64_t *size_bytes,
	struct br_err *err)
{
	struct br_sum summing;

	br_sum_init(&summing);
	if (!read_fd(fd, copy_fd, NULL, &summing, size_bytes, err))
		return false;
	*sum = br_sum_end(&summing);
	return true;
}

void br_hash_format(
	const uint8_t digest[BR_HASH_BYTES], char text[BR_HASH_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < BR_HASH_BYTES; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[BR_HASH_TEXT_BYTES - 1] = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool br_hash_parse(const char *text, size_t len, uint8_t digest[BR_HASH_BYTES])
{
	uint8_t bytes[BR_HASH_BYTES];

	if (len != BR_HASH_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < BR_HASH_BYTES; i++) {
		int high = digit_value(text[2 * i]);
		int low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(digest, bytes, sizeof(bytes));
	return true;
}
