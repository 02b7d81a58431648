/* SPDX-License-Identifier: MIT */
/*
 * The first byte picks where the rest is cut in two. Whatever the bytes are, the cut
 * must not change what the report of a pull says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pull.h"

struct outcome {
	bool is_good;
	struct br_err err;
	int64_t done;
	int64_t total;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct outcome run(const char *data, size_t size, size_t cut)
{
	struct br_pull_stream stream = { 0 };
	struct outcome outcome = { 0 };
	struct br_err *err = &outcome.err;

	outcome.is_good = br_pull_feed(&stream, data, cut, err) &&
		br_pull_feed(&stream, data + cut, size - cut, err) &&
		br_pull_end(&stream, err);
	br_pull_sum(&stream, &outcome.done, &outcome.total);
	br_pull_done(&stream);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	const char *rest = (const char *)data + 1;
	size_t len = size - 1;
	struct outcome whole = run(rest, len, 0);
	struct outcome cut = run(rest, len, len ? data[0] % (len + 1) : 0);

	if (whole.is_good != cut.is_good || whole.err.code != cut.err.code ||
		strcmp(whole.err.text, cut.err.text) != 0 ||
		whole.done != cut.done || whole.total != cut.total)
		abort();
	/* An error is one line, whatever the engine wrote. */
	if (strpbrk(whole.err.text, "\r\n\t\x1b") || whole.done < 0 ||
		whole.total < -1)
		abort();
	return 0;
}
