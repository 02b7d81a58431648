/* SPDX-License-Identifier: MIT */
/*
 * stage_set.h - which stages there are, and their order.
 *
 * `stages` lists names, and other keys define them. What is listed must be
 * defined; what is defined need not be listed.
 */
#pragma once

#include "manifest/names.h"
#include "manifest/read.h"

/* Starts out all zero; everything in it is borrowed but the names' lists. */
struct br_stage_set {
	/* What `stages` lists, in order; `prepare` too. */
	struct br_names listed;
	/* `stages` has a mistake: what it lists is not all known. */
	bool is_list_broken;
	/* What every stage starts from. */
	struct br_stage defaults;
	/* The key `prepare`, or NULL. */
	const struct br_entry *prepare;
	struct br_names defined;
};

/* Read `stages` into a struct br_stage_set: a br_read_fn. */
void br_stage_set_read_list(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/*
 * Begin with the definitions, of which there are at most `count`, after the list
 * and the defaults are known. Reads `prepare`.
 */
void br_stage_set_start(
	struct br_reader *reader, struct br_stage_set *stages, size_t count);

/*
 * Read the stage that `entry` defines. Gives false, without a mistake, where it
 * defines none: it is not listed, and is no mapping with `script`.
 */
bool br_stage_set_read_stage(struct br_reader *reader,
	const struct br_entry *entry, struct br_stage_set *stages);

/* Put the listed stages in order, and free `stages`. */
void br_stage_set_end(struct br_reader *reader, struct br_stage_set *stages);
