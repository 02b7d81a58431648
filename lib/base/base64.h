/* SPDX-License-Identifier: MIT */
/* base64.h - base64 (RFC 4648), in both alphabets, with padding. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

enum br_base64_alphabet {
	/* `+` and `/`: section 4. */
	BR_BASE64_STANDARD,
	/* `-` and `_`: section 5; what the engine takes in X-Registry-Auth. */
	BR_BASE64_URL,
};

/* Add `data` in base64 to `text`. */
void br_base64_encode(enum br_base64_alphabet alphabet, const void *data,
	size_t len, struct br_buf *text);

/*
 * Add what base64 `text` stands for to `data`. Takes the standard alphabet, and
 * padding may be missing.
 *
 * Fails with BR_EINPUT for any other byte or an impossible length.
 */
bool br_base64_decode(const char *text, size_t len, struct br_buf *data,
	struct br_err *err) BR_MUST_CHECK;
