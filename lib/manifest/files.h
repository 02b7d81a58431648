/* SPDX-License-Identifier: MIT */
/* files.h - `inputs`, `outputs` and `cache`: what the stage cache goes by. */
#pragma once

#include "manifest/read.h"

/* Read `inputs` into a struct br_stage: a list of globs, which may be empty. */
void br_inputs_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/* Read `outputs` into a struct br_stage: a list of paths and globs. */
void br_outputs_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/* Read `cache` of a stage into a struct br_stage: a bool. */
void br_cache_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/*
 * Check the stage that was read from `mapping`: where it says itself that it is to be
 * cached, it has `inputs`.
 */
void br_cache_check(struct br_reader *reader, const struct br_node *mapping,
	const struct br_stage *stage);

/* Read `cache` of `prepare` into a struct br_stage: how long its state is kept. */
void br_cache_read_time(
	struct br_reader *reader, const struct br_entry *entry, void *into);
