/* SPDX-License-Identifier: MIT */
/* utf8.h - is it UTF-8, and where does a character end (RFC 3629). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Count the bytes at the start of `data` that are whole UTF-8 characters. */
size_t br_utf8_valid_len(const char *data, size_t len);

/* Say whether all of `data` is UTF-8. */
static inline bool br_utf8_is_valid(const char *data, size_t len)
{
	return br_utf8_valid_len(data, len) == len;
}

/*
 * Count the bytes at the end of `data` that are the beginning of a character
 * whose rest may still come: 0 to 3. Bytes that can no longer become a
 * character count as whole.
 */
size_t br_utf8_partial_len(const char *data, size_t len);
