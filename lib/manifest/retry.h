/* SPDX-License-Identifier: MIT */
/* retry.h - how often a stage is tried again, and after what. */
#pragma once

#include "manifest/read.h"

/* Read `retry` into a struct br_stage: a br_read_fn. */
void br_retry_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);
