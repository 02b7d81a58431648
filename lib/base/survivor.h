/* SPDX-License-Identifier: MIT */
/*
 * survivor.h - a child that does something when this process has ended, however it did.
 *
 * It learns of that from a socket, which the kernel closes with us. Nothing that ends us
 * ends it: it is in a session of its own and ignores the signals of terminals and service
 * managers. And nobody waits because of it for a file, a terminal or a folder of ours: it
 * has nothing open but the socket and what it is given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/err.h"

/* Where it has its descriptors. Stdin, stdout and stderr are /dev/null. */
enum {
	/* Reads as ended when our end has been closed by all who have it. */
	BR_SURVIVOR_FD = STDERR_FILENO + 1,
	/* The first of those that it is given; the others follow. */
	BR_SURVIVOR_GIVEN_FD,
	/* At most. */
	BR_SURVIVOR_GIVEN = 4,
};

struct br_survivor_options {
	/* What it does, with its copy of `ctx`. When it comes back, the child ends. */
	void (*main)(const void *ctx);
	const void *ctx;
	/* Borrowed. */
	const int *given;
	size_t given_count;
	/* It is ours to wait for. Else it is forked twice, and nobody's. */
	bool is_ours;
};

struct br_survivor {
	/* 0: it is not ours to wait for. */
	pid_t pid;
	/* Our end of the socket, closed on exec. */
	int fd;
};

/*
 * Start one. Where it is not ours, it has begun when this returns.
 *
 * Ownership: the caller closes survivor->fd, and then waits for one that is its own. Fails
 * with BR_ESYSTEM; there is none then.
 */
bool br_survivor_start(const struct br_survivor_options *options,
	struct br_survivor *survivor, struct br_err *err) BR_MUST_CHECK;
