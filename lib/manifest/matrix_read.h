/* SPDX-License-Identifier: MIT */
/* matrix_read.h - `matrix` from the file. */
#pragma once

#include "manifest/read.h"

/* Read `matrix` into a struct br_stage: a br_read_fn. */
void br_matrix_read(
	struct br_reader *reader, const struct br_entry *entry, void *into);

/*
 * Check a matrix whose parts are all right by themselves: how many combinations
 * it makes, and that `include` and `exclude` mean some. Sets its
 * `combination_count`.
 */
void br_matrix_check(struct br_reader *reader, struct br_matrix *matrix);
