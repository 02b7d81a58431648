/* SPDX-License-Identifier: MIT */
#include "base/sha256.h"

#include <string.h>

/* Fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t constants[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t word, unsigned bits)
{
	return word >> bits | word << (32 - bits);
}

static uint32_t read_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
		(uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static void write_be32(uint8_t *bytes, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

/* The message schedule W of one block (6.2.2, step 1). */
static void expand(const uint8_t *block, uint32_t words[64])
{
	for (size_t t = 0; t < 16; t++)
		words[t] = read_be32(block + 4 * t);
	for (size_t t = 16; t < 64; t++) {
		uint32_t a = words[t - 15];
		uint32_t b = words[t - 2];
		uint32_t sigma0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		uint32_t sigma1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;

		words[t] = sigma1 + words[t - 7] + sigma0 + words[t - 16];
	}
}

/* Mix one block into the state (6.2.2, steps 2 to 4); v is a to h. */
static void mix(uint32_t state[8], const uint8_t *block)
{
	uint32_t words[64];
	uint32_t v[8];

	expand(block, words);
	memcpy(v, state, sizeof(v));
	for (size_t t = 0; t < 64; t++) {
		uint32_t sum1 =
			rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t t1 = v[7] + sum1 + choice + constants[t] + words[t];
		uint32_t sum0 =
			rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t majority =
			(v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + sum0 + majority;
	}
	for (size_t i = 0; i < 8; i++)
		state[i] += v[i];
}

void br_sha256_init(struct br_sha256 *sha)
{
	/* Fractions of the square roots of the first 8 primes (5.3.3). */
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
		0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	*sha = (struct br_sha256){ 0 };
	memcpy(sha->state, start, sizeof(start));
}

void br_sha256_feed(struct br_sha256 *sha, const void *data, size_t len)
{
	const uint8_t *at = data;

	sha->total_bytes += len;
	while (len > 0) {
		/* Whole blocks are mixed where they are, without a copy. */
		if (sha->block_len == 0 && len >= sizeof(sha->block)) {
			mix(sha->state, at);
			at += sizeof(sha->block);
			len -= sizeof(sha->block);
			continue;
		}

		size_t room = sizeof(sha->block) - sha->block_len;
		size_t n = len < room ? len : room;

		memcpy(sha->block + sha->block_len, at, n);
		sha->block_len += n;
		at += n;
		len -= n;
		if (sha->block_len == sizeof(sha->block)) {
			mix(sha->state, sha->block);
			sha->block_len = 0;
		}
	}
}

void br_sha256_end(struct br_sha256 *sha, uint8_t digest[BR_SHA256_BYTES])
{
	static const uint8_t padding[BR_SHA256_BLOCK_BYTES] = { 0x80 };
	uint64_t total_bits = sha->total_bytes * 8;
	uint8_t length[8];

	/* A one bit, zeros up to 8 bytes before a block's end, the length. */
	size_t used = sha->block_len;
	size_t pad = (used < 56 ? 56 : 120) - used;

	write_be32(length, (uint32_t)(total_bits >> 32));
	write_be32(length + 4, (uint32_t)total_bits);
	br_sha256_feed(sha, padding, pad);
	br_sha256_feed(sha, length, sizeof(length));
	for (size_t i = 0; i < 8; i++)
		write_be32(digest + 4 * i, sha->state[i]);
}

void br_sha256_format(
	const uint8_t digest[BR_SHA256_BYTES], char text[BR_SHA256_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < BR_SHA256_BYTES; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[BR_SHA256_TEXT_BYTES - 1] = '\0';
}
