/* SPDX-License-Identifier: MIT */
/*
 * sum.h - 64 bits that tell whether bytes are still those that were stored.
 *
 * They find what disks and crashes do to a blob, ten times as fast as SHA-256, which would
 * take longer than to copy it. They say nothing against who wants them to agree: what
 * comes from elsewhere is checked by its hash, and its sum is not taken from there.
 * A change within one aligned word is always found, any other but once in 2^64 times.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	BR_SUM_LANES = 4,
	BR_SUM_BLOCK_BYTES = 8 * BR_SUM_LANES,
};

/* br_sum_init() makes it. */
struct br_sum {
	uint64_t lanes[BR_SUM_LANES];
	uint64_t total_bytes;
	/* Bytes that are no whole block yet. */
	uint8_t rest[BR_SUM_BLOCK_BYTES];
};

/* Begin a sum. */
void br_sum_init(struct br_sum *sum);

/* Add `len` bytes; however they are cut, the sum is the same. */
void br_sum_add(struct br_sum *sum, const void *data, size_t len);

/* Give the sum of all that was added. Never 0, so that 0 can mean that there is none. */
uint64_t br_sum_end(const struct br_sum *sum);
