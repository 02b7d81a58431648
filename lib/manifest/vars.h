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

/* Check the name of a variable; false, with a mistake at `place`: it is none. */
bool br_vars_check_name(
	struct br_reader *reader, struct br_place place, struct br_str name);

/* Read the manifest's `environment`: a br_read_fn; `into` is not used. */
void br_vars_read_environment(
	struct br_reader *reader, const struct br_entry *entry, void *into);
