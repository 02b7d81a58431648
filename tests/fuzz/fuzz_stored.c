/* SPDX-License-Identifier: MIT */
/*
 * A stored result, as a server or a disk may give it. What is taken must be safe to
 * write, in order, and must be the same when it is written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cache/beneath.h"
#include "cache/stored.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct br_listing *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct br_listed *listed = &outputs->items[i];

		if (!br_beneath_is_safe(listed->path) || listed->mode > 0777 ||
			listed->facts.size_bytes < 0 ||
			(i > 0 && strcmp(listed[-1].path, listed->path) >= 0))
			abort();
	}
}

static bool is_same(const struct br_listed *a, const struct br_listed *b)
{
	return a->kind == b->kind && strcmp(a->path, b->path) == 0 &&
		a->mode == b->mode &&
		a->facts.size_bytes == b->facts.size_bytes &&
		memcmp(a->digest, b->digest, BR_HASH_BYTES) == 0 &&
		(!a->target || strcmp(a->target, b->target) == 0);
}

static void check_again(const struct br_stored *result)
{
	br_autostored struct br_stored again = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	/* Not where a name is not UTF-8: servers refuse it before us. */
	if (!br_stored_encode(result, &bytes, &err))
		return;
	if (!br_stored_decode(bytes.data, bytes.len, &again, &err) ||
		again.outputs.count != result->outputs.count)
		abort();
	for (size_t i = 0; i < again.outputs.count; i++)
		if (!is_same(
			    &result->outputs.items[i], &again.outputs.items[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	br_autostored struct br_stored result = { 0 };
	struct br_err err = { 0 };
	uint32_t mode = 0;

	if (br_stored_decode(data, size, &result, &err)) {
		check(&result.outputs);
		check_again(&result);
	} else if (err.code != BR_EPROTO ||
		!br_utf8_is_valid(err.text, strlen(err.text))) {
		abort();
	}
	if (br_stored_decode_tree(data, size, &mode, &err) && mode > 0777)
		abort();
	return 0;
}
