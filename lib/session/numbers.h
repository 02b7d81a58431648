/* SPDX-License-Identifier: MIT */
/* numbers.h - what buildr-init tells in the fields of a frame. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "init/protocol.h"

/* By tag; those that a frame does not have are 0. */
struct br_numbers {
	uint64_t version;
	uint64_t step;
	uint64_t status;
	uint64_t wall_us;
	uint64_t cpu_us;
	uint64_t max_rss;
	uint64_t is_oom;
	uint64_t is_signal;
	uint64_t failure_kind;
	uint64_t count;
	/* Text; borrowed from the payload. */
	struct br_str failure;
};

/*
 * Read all fields of a payload. Gives false where one is not as the protocol has
 * it; those that it does not know are passed over.
 */
bool br_numbers_decode(const uint8_t *data, size_t len,
	struct br_numbers *numbers) BR_MUST_CHECK;
