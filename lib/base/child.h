/* SPDX-License-Identifier: MIT */
/*
 * child.h - a child that does what takes time, while this process goes on.
 *
 * The two speak in messages over a socket. The child dies with its parent, and is in a
 * session of its own: a signal of the terminal is the parent's to heed. For one that is
 * to outlive its parent there is survivor.h.
 */
#pragma once

#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* What it does, with its copy of `ctx`. When it comes back, the child ends. */
typedef void br_child_fn(const void *ctx, int fd);

/* One that was not started is BR_CHILD_NONE. */
struct br_child {
	/* 0: none. */
	pid_t pid;
	/* Our end of a SOCK_SEQPACKET socket; -1: none. */
	int fd;
};

#define BR_CHILD_NONE ((struct br_child){ .fd = -1 })

/*
 * Start one. Ownership: br_child_end(). Fails with BR_ESYSTEM.
 */
bool br_child_start(br_child_fn *fn, const void *ctx, struct br_child *child,
	struct br_err *err) BR_MUST_CHECK;

/* End it and its own children, if need be by force. May be called twice. */
void br_child_end(struct br_child *child);
