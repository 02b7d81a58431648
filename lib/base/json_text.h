/* SPDX-License-Identifier: MIT */
/*
 * json_text.h - JSON strings and numbers, written straight into a buffer.
 *
 * `-o json` passes on everything that steps write, so this is done without a
 * tree of values in between.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * Count the bytes at the start of a text that stand for themselves in a JSON string:
 * neither quotes, backslashes nor control characters.
 */
size_t br_json_plain_len(const char *text, size_t len);

/*
 * Add `text` as a JSON string with its quotes. Control characters, DEL, `"` and
 * `\` are escaped; each byte that is not UTF-8 becomes U+FFFD.
 */
void br_json_add_string(struct br_buf *line, struct br_str text);

/* Add a decimal integer. */
void br_json_add_int(struct br_buf *line, int64_t value);

/*
 * Add seconds as a decimal with at most six digits behind the point. What is not
 * within 0 and BR_JSON_SECONDS_MAX is written as the nearer of the two.
 */
void br_json_add_seconds(struct br_buf *line, double seconds);

/* 31 years. So in microseconds it is exact as a double. */
enum { BR_JSON_SECONDS_MAX = 1000000000 };
