/* SPDX-License-Identifier: MIT */
/*
 * sum.c - see sum.h.
 *
 * Words go round four lanes, which a processor works on at once. A step of a lane takes its
 * state and a word to another state, and is one to one in each of them: so a word that is
 * another one leaves the lane different, whatever follows.
 */
#include "cache/sum.h"

#include <endian.h>
#include <string.h>

/* Odd, with about as many ones as zeros: the golden ratio, and its square root's fraction. */
#define STEP_FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define END_FACTOR UINT64_C(0xc8b6d2f1a5e39d4b)

static uint64_t rotate(uint64_t value, unsigned count)
{
	return value << count | value >> (64 - count);
}

static uint64_t step(uint64_t lane, uint64_t word)
{
	return rotate((lane ^ word) * STEP_FACTOR, 29);
}

void br_sum_init(struct br_sum *sum)
{
	*sum = (struct br_sum){ 0 };
	for (size_t i = 0; i < BR_SUM_LANES; i++)
		sum->lanes[i] = (i + 1) * END_FACTOR;
}

static void add_block(
	uint64_t lanes[BR_SUM_LANES], const uint8_t block[BR_SUM_BLOCK_BYTES])
{
	uint64_t words[BR_SUM_LANES];

	memcpy(words, block, sizeof(words));
	for (size_t i = 0; i < BR_SUM_LANES; i++)
		lanes[i] = step(lanes[i], le64toh(words[i]));
}

/* Put bytes to those that are no whole block; give how many were taken. */
static size_t add_rest(struct br_sum *sum, const uint8_t *bytes, size_t len)
{
	size_t have = sum->total_bytes % BR_SUM_BLOCK_BYTES;
	size_t room = BR_SUM_BLOCK_BYTES - have;
	size_t taken = len < room ? len : room;

	memcpy(sum->rest + have, bytes, taken);
	sum->total_bytes += taken;
	if (taken == room)
		add_block(sum->lanes, sum->rest);
	return taken;
}

void br_sum_add(struct br_sum *sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t lanes[BR_SUM_LANES];

	if (len > 0 && sum->total_bytes % BR_SUM_BLOCK_BYTES != 0) {
		size_t taken = add_rest(sum, bytes, len);

		bytes += taken;
		len -= taken;
	}
	memcpy(lanes, sum->lanes, sizeof(lanes));
	for (; len >= BR_SUM_BLOCK_BYTES; len -= BR_SUM_BLOCK_BYTES) {
		add_block(lanes, bytes);
		bytes += BR_SUM_BLOCK_BYTES;
		sum->total_bytes += BR_SUM_BLOCK_BYTES;
	}
	memcpy(sum->lanes, lanes, sizeof(lanes));
	if (len > 0)
		(void)add_rest(sum, bytes, len);
}

uint64_t br_sum_end(const struct br_sum *sum)
{
	struct br_sum last = *sum;
	size_t have = last.total_bytes % BR_SUM_BLOCK_BYTES;
	uint64_t result = last.total_bytes * END_FACTOR;

	if (have > 0) {
		memset(last.rest + have, 0, BR_SUM_BLOCK_BYTES - have);
		add_block(last.lanes, last.rest);
	}
	for (size_t i = 0; i < BR_SUM_LANES; i++)
		result = rotate((result ^ last.lanes[i]) * END_FACTOR, 31);
	return result != 0 ? result : 1;
}
