/* SPDX-License-Identifier: MIT */
/*
 * alloc.h - memory that is always there.
 *
 * When the system has none left the process says so in one line on stderr and
 * ends with status 3 (the environment's fault); what it owns outside is cleaned
 * up by the nets that catch any sudden death. So no caller checks for NULL.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* Say that there is no memory, and end: for libraries that give NULL then. */
BR_NORETURN void br_out_of_memory(void);

/*
 * Give `size_bytes` zeroed bytes, at least one.
 *
 * Ownership: the caller frees them with free().
 */
void *br_alloc(size_t size_bytes) BR_NONNULL_RESULT;

/*
 * Make an array of `count` elements of `size_bytes` each, zeroed.
 *
 * Ownership: the caller frees it with free().
 */
void *br_alloc_array(size_t count, size_t size_bytes) BR_NONNULL_RESULT;

/*
 * Change an array to `count` elements; new ones are not zeroed.
 *
 * Ownership: takes `old`, which may be NULL; the caller frees the result.
 */
void *br_realloc_array(
	void *old, size_t count, size_t size_bytes) BR_NONNULL_RESULT;

/*
 * Make room for one more element in a growing array.
 *
 * `count` is how many are used, `*capacity` how many fit. Gives the array, which
 * may have moved. Ownership: takes `old`; the caller frees the result.
 */
void *br_grow(void *old, size_t count, size_t *capacity,
	size_t size_bytes) BR_NONNULL_RESULT;

/*
 * Copy a string.
 *
 * Ownership: the caller frees the copy with free().
 */
char *br_strdup(const char *text) BR_NONNULL_RESULT;

/*
 * Copy `len` bytes and end them with a NUL.
 *
 * Ownership: the caller frees the copy with free().
 */
char *br_memdup(const void *data, size_t len) BR_NONNULL_RESULT;

/*
 * Format a string.
 *
 * Ownership: the caller frees it with free().
 */
char *br_format(const char *fmt, ...) BR_PRINTF(1, 2) BR_NONNULL_RESULT;
