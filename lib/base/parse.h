/* SPDX-License-Identifier: MIT */
/*
 * parse.h - numbers, durations and sizes from text.
 *
 * The whole text must be the value: no blanks, no sign but '-', no rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Read a decimal integer.
 *
 * Fails with BR_EINPUT where `text` is no number or not within min and max.
 */
bool br_parse_int(const char *text, int64_t min, int64_t max, int64_t *value,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read a duration: `90s`, `20m`, `2h`, `7d`, `500ms`, or several of these in a
 * row (`1h30m`). A number alone has no unit and is refused.
 *
 * Fails with BR_EINPUT; also for 0 and for more than 10,000 days.
 */
bool br_parse_duration(const char *text, int64_t *duration_ms,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read a size as docker's --memory takes it: a number and `b`, `k`, `m`, `g` or
 * `t` in either case, powers of 1024, with an optional `b` or `ib` behind; a
 * number alone is bytes. A fraction is allowed (`1.5g`).
 *
 * Fails with BR_EINPUT; also for 0 and for more than 2^60 bytes.
 */
bool br_parse_size(const char *text, int64_t *size_bytes,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read a positive number with up to nine decimals (`1.5`) as billionths, which
 * is how the engine takes processors (`NanoCpus`).
 *
 * Fails with BR_EINPUT; also for 0 and for more than 1,000,000.
 */
bool br_parse_nano(const char *text, int64_t *value_nano,
	struct br_err *err) BR_MUST_CHECK;
