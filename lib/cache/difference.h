/* SPDX-License-Identifier: MIT */
/* difference.h - what differs between two records (record.h), in words. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "cache/record.h"

/*
 * Add what a difference is about and what became of it: `file 'src/main.c' changed`. Of a
 * secret that is all that can be said.
 */
void br_difference_format(
	const struct br_difference *difference, struct br_buf *text);

/*
 * Add the first difference between two records and how many more there are; nothing where
 * they are the same. A record that cannot be read is a difference too.
 */
void br_difference_summarize(
	struct br_str before, struct br_str after, struct br_buf *text);
