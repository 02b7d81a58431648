/* SPDX-License-Identifier: MIT */
/* cache_table.h - what the stage cache has, for people and as JSON. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cache/inventory.h"

/*
 * Add a line for each result, the one that was used last first: of a result that several
 * stages have had a line for each of them. Nothing where there is none.
 */
void cache_table_format(const struct br_inventory *inventory, bool is_json,
	struct br_buf *text);

/*
 * Add a line for each stage of each project, the largest first, and one for all: it
 * counts once what they share.
 */
void cache_sums_format(const struct br_inventory *inventory, bool is_json,
	struct br_buf *text);
