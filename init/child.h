/* SPDX-License-Identifier: MIT */
/*
 * child.h - a process that init started, from its start to its end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "init/spawn.h"

/* Starts out by child_init(). */
struct child {
	/* 0: never started. */
	pid_t pid;
	/* Tells how the start went (spawn.h); -1 when that is known. */
	int report;
	int report_slot;
	bool has_failed;
	struct spawn_failure failure;
	bool is_over;
	/* Exit status, or 128 + the signal. */
	int status;
	bool is_signal;
	int64_t cpu_us;
	int64_t max_rss_bytes;
};

void child_init(struct child *child);

/* Start it; false, with errno, where no process could be made. */
bool child_start(struct child *child, const struct spawn *spawn);

static inline bool child_is_alive(const struct child *child)
{
	return child->pid > 0 && !child->is_over;
}

/* Take note of how the start went; only where that is there to be read. */
void child_settle(struct child *child);

/* Take note of the end, as wait4(2) told it. */
void child_end(
	struct child *child, int wait_status, const struct rusage *usage);

/* Forget it, and close what is open. */
void child_done(struct child *child);
