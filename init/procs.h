/* SPDX-License-Identifier: MIT */
/*
 * procs.h - the processes of the container, by /proc.
 *
 * A process belongs to a group (of a stage, say) when its session does, or when a
 * parent, grandparent … does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
	pid_t pid;
	pid_t parent;
	pid_t session;
	/* Clock ticks since boot: together with the pid it names the process. */
	uint64_t start_ticks;
	int64_t rss_bytes;
	/* Of itself and the children that it waited for. */
	int64_t cpu_us;
	bool is_zombie;
	/* Set by procs_mark(). */
	bool is_member;
};

/* Starts out all zero. Owned by the caller; refilled at each scan. */
struct procs {
	struct proc *items;
	size_t count;
	size_t capacity;
};

/* Read one process; gives false where it is gone. */
bool proc_read(pid_t pid, struct proc *proc);

/* Read all processes, without this one. */
void procs_scan(struct procs *procs);

void procs_done(struct procs *procs);

/*
 * Mark who belongs to one of the `session_count` sessions, is in `known` (by pid
 * and start), or descends from such a one. Zombies are no members.
 */
void procs_mark(struct procs *procs, const pid_t *sessions,
	size_t session_count, const struct procs *known);

/* How often the kernel killed for want of memory in this container; -1: unknown. */
int64_t oom_kill_count(void);

/*
 * Kill everything in the container but this process, and reap it. Where this is
 * not PID 1 (a test), everything that descends from it.
 */
void procs_kill_all(void);
