/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char *const alphabets[] = {
	[BR_BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/",
	[BR_BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "abcdefghijklmnopqrstuvwxyz0123456789-_",
};

void br_base64_encode(enum br_base64_alphabet alphabet, const void *data,
	size_t len, struct br_buf *text)
{
	const char *letters = alphabets[alphabet];
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (left > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];

		char quad[4] = {
			letters[group >> 18],
			letters[(group >> 12) & 63],
			(char)(left > 1 ? letters[(group >> 6) & 63] : '='),
			(char)(left > 2 ? letters[group & 63] : '='),
		};
		br_buf_add(text, quad, sizeof(quad));
	}
}

bool br_base64_decode(
	const char *text, size_t len, struct br_buf *data, struct br_err *err)
{
	const char *letters = alphabets[BR_BASE64_STANDARD];
	br_autobuf struct br_buf decoded = { 0 };
	uint32_t group = 0;
	unsigned bits = 0;

	for (size_t pads = 0; len > 0 && pads < 2 && text[len - 1] == '=';
		pads++)
		len--;
	for (size_t i = 0; i < len; i++) {
		const char *at =
			text[i] != '\0' ? strchr(letters, text[i]) : NULL;

		if (!at)
			return br_fail(err, BR_EINPUT, "not base64");
		group = group << 6 | (uint32_t)(at - letters);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			br_buf_add_char(&decoded, (char)(group >> bits & 0xff));
		}
	}
	if (bits >= 6)
		return br_fail(err, BR_EINPUT, "base64 that was cut off");
	br_buf_add(data, br_buf_text(&decoded), decoded.len);
	return true;
}
