/* SPDX-License-Identifier: MIT */
/* script.h - the steps of a stage. */
#pragma once

#include "manifest/read.h"

/* Read `script` into a struct br_stage: a br_read_fn. */
void br_script_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/*
 * Read a list of texts as an argv; NULL, with a mistake, where it is none, is
 * empty, or has an item that no program could be given. `name` is what the
 * mistake calls it. Ownership: the manifest's.
 */
const char *const *br_script_read_argv(struct br_reader *reader,
	const struct br_entry *entry, const char *name);
