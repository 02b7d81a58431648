/* SPDX-License-Identifier: MIT */
/* vars.h - variables in a manifest: those of a stage, and `environment`. */
#pragma once

#include "manifest/read.h"

/*
 * Read a list of NAME=VALUE and NAME, or a mapping of names to values, and add
 * them to `vars`: to a new array, since stages share that of `defaults`.
 */
void br_vars_read(struct br_reader *reader, const struct br_entry *entry,
	struct br_vars *vars);

/* Read the manifest's `environment`: a br_read_fn; `into` is not used. */
void br_vars_read_environment(
	struct br_reader *reader, const struct br_entry *entry, void *into);
