/* SPDX-License-Identifier: MIT */
/* why_text.h - why stages would run, and why they did, for people and as JSON. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "run/why.h"

/* Add what is known of a stage of the plan, in words. `now_ns` is since 1970. */
void why_text_format(const struct br_why *why, size_t stage, int64_t now_ns,
	struct br_buf *text);

/* Add the same as one line of JSON. */
void why_json_format(
	const struct br_why *why, size_t stage, struct br_buf *text);
