/* SPDX-License-Identifier: MIT */
/* when.h - the conditions of a stage. */
#pragma once

#include "manifest/read.h"

/* Read `when` into a struct br_stage: a br_read_fn. */
void br_when_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);
