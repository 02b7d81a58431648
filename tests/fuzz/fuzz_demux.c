/* SPDX-License-Identifier: MIT */
/*
 * The first byte picks where the rest is cut in two. Whatever the bytes are,
 * the cut must not change what comes out or whether it fails.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/demux.h"

struct digest {
	uint64_t hash;
	size_t bytes;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool hash_bytes(void *ctx, enum br_channel channel, const uint8_t *data,
	size_t len, struct br_err *err)
{
	struct digest *digest = ctx;

	(void)err;
	for (size_t i = 0; i < len; i++) {
		digest->hash ^= (uint64_t)channel << 8 | data[i];
		digest->hash *= 0x100000001b3U;
	}
	digest->bytes += len;
	return true;
}

static struct digest run(const uint8_t *data, size_t size, size_t cut, bool *ok)
{
	struct br_demux demux = { 0 };
	struct br_err err = { 0 };
	struct digest digest = { .hash = 0xcbf29ce484222325U };

	*ok = br_demux_feed(&demux, data, cut, hash_bytes, &digest, &err) &&
		br_demux_feed(&demux, data + cut, size - cut, hash_bytes,
			&digest, &err) &&
		br_demux_end(&demux, &err);
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	bool whole_ok;
	bool cut_ok;
	size_t rest = size - 1;
	struct digest whole = run(data + 1, rest, 0, &whole_ok);
	struct digest cut =
		run(data + 1, rest, rest ? data[0] % (rest + 1) : 0, &cut_ok);

	if (whole_ok != cut_ok || whole.hash != cut.hash ||
		whole.bytes != cut.bytes)
		abort();
	return 0;
}
