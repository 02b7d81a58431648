/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the character that starts with `lead`; 0 where none does. */
static size_t char_len(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/* The second byte shuts out overlong forms, surrogates and over U+10FFFF. */
static bool is_second(uint8_t lead, uint8_t second)
{
	uint8_t low = 0x80;
	uint8_t high = 0xbf;

	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	return second >= low && second <= high;
}

/* Count the bytes at `data` that may be the start of a `wanted`-byte one. */
static size_t matching_len(const uint8_t *data, size_t len, size_t wanted)
{
	size_t n = 1;

	if (len > 1 && wanted > 1 && !is_second(data[0], data[1]))
		return n;
	while (n < wanted && n < len && (data[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Skip plain ASCII eight bytes at a time: most of any log. */
static size_t ascii_len(const char *data, size_t len)
{
	size_t i = 0;

	for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, data + i, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	return i;
}

size_t br_utf8_valid_len(const char *data, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)data;
	size_t i = ascii_len(data, len);

	while (i < len) {
		size_t wanted = char_len(bytes[i]);

		if (wanted == 0 ||
			matching_len(bytes + i, len - i, wanted) < wanted)
			return i;
		i += wanted;
		if (wanted > 1)
			continue;
		i += ascii_len(data + i, len - i);
	}
	return i;
}

size_t br_utf8_partial_len(const char *data, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)data;

	for (size_t back = 1; back <= 3 && back <= len; back++) {
		const uint8_t *lead = bytes + len - back;
		size_t wanted = char_len(*lead);

		if (wanted > 0) {
			size_t have = matching_len(lead, back, wanted);

			return wanted > back && have == back ? back : 0;
		}
		if ((*lead & 0xc0) != 0x80)
			return 0;
	}
	return 0;
}
