/* SPDX-License-Identifier: MIT */
/*
 * clean.h - scoped ownership.
 *
 * A local that owns something says so in its declaration and is released when
 * the scope ends, on every path:
 *
 *	br_autofree char *path = NULL;
 *	br_autoclose int fd = -1;
 *
 * Locals are released in reverse order of declaration: declare what must live
 * longer first. Hand an owned value on with br_take_ptr() or br_take_fd(),
 * which leave an empty value behind.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"

#define br_autofree __attribute__((cleanup(br_clean_free)))
#define br_autoclose __attribute__((cleanup(br_clean_close)))

/*
 * Give a `struct T` with a T_free(struct T *) the matching br_auto(T):
 *
 *	BR_DEFINE_AUTO(br_plan)
 *	...
 *	br_auto(br_plan) struct br_plan *plan = NULL;
 */
#define br_auto(type) __attribute__((cleanup(type##_clean)))
#define BR_DEFINE_AUTO(type) \
	static inline void type##_clean(struct type **slot) \
	{ \
		type##_free(*slot); \
	}

/* Return `*slot`, any pointer variable, with its type, and leave NULL in it. */
#define br_take_ptr(slot) \
	__extension__({ \
		__typeof__(slot) br_slot_ = (slot); \
		__typeof__(*br_slot_) br_value_ = *br_slot_; \
		*br_slot_ = NULL; \
		br_value_; \
	})

/* Return `*fd` and leave -1 in it. */
static inline int br_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void br_clean_free(void *slot)
{
	free(*(void **)slot);
}

static inline void br_clean_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
