/* SPDX-License-Identifier: MIT */
/*
 * matrix.h - the combinations of a matrix.
 *
 * All combinations of the axes' values come first, in the order of the file and
 * the last axis fastest, without those that an item of `exclude` names by some
 * or all of its values. Then each item of `include`, in order: where the values
 * that it gives to axes are those of combinations that are left, it adds what
 * else it has to these, and overwrites what another item added. Where they are
 * those of none, it is a combination of its own, which no later item changes.
 */
#pragma once

#include "manifest/manifest.h"

/*
 * Make the combinations of a matrix that was read without a mistake: an array of
 * `matrix->combination_count`, each with the axes first, in their order. Without
 * axes and `include` there are none.
 *
 * Ownership: *combinations lives in `arena`, names and values in the manifest.
 * Gives their number, at most BR_LIMIT_MATRIX_COMBINATIONS.
 */
size_t br_matrix_expand(const struct br_matrix *matrix, struct br_arena *arena,
	struct br_vars **combinations);

/*
 * Find the first item of `include` that changes nothing: combinations with its
 * values are there, and it has none to add. Gives its index, or the number of
 * items where there is none.
 */
size_t br_matrix_find_idle(const struct br_matrix *matrix);
