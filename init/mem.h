/* SPDX-License-Identifier: MIT */
/*
 * mem.h - memory of buildr-init.
 *
 * All amounts that come from outside have a limit of the protocol, so running out
 * means that the container has no memory left at all; then buildr-init ends, and
 * the container with it.
 */
#pragma once

#include <stddef.h>

/* Give `size_bytes` zeroed bytes. Ownership: the caller frees them. */
void *mem_new(size_t size_bytes);

/*
 * Make room for one more element in a growing array of which `count` are used.
 *
 * Ownership: takes `old`, which may be NULL; the caller frees the result.
 */
void *mem_grow(void *old, size_t count, size_t *capacity, size_t size_bytes);
