/* SPDX-License-Identifier: MIT */
#include "cache/workers.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

/* More do not help: what they read comes from one disk. */
enum { WORKERS_MAX = 64 };

/* In shared memory. */
struct board {
	/* The first item that nobody has taken. */
	atomic_size_t next;
	/* One for each item. */
	atomic_bool is_done[];
};

void *br_workers_share(size_t size_bytes)
{
	const int access = PROT_READ | PROT_WRITE;
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	size_t len = size_bytes > 0 ? size_bytes : 1;
	/* cppcheck-suppress invalidFunctionArg */
	void *shared = mmap(NULL, len, access, flags, -1, 0);

	if (shared == MAP_FAILED)
		br_out_of_memory();
	return shared;
}

void br_workers_unshare(void *shared, size_t size_bytes)
{
	if (shared)
		(void)munmap(shared, size_bytes > 0 ? size_bytes : 1);
}

size_t br_workers_processors(void)
{
	cpu_set_t processors;
	int count = 1;

	if (sched_getaffinity(0, sizeof(processors), &processors) == 0)
		count = CPU_COUNT(&processors);
	if (count < 1)
		return 1;
	return count < WORKERS_MAX ? (size_t)count : WORKERS_MAX;
}

static void work(struct board *board, size_t count, br_worker_fn *fn, void *ctx)
{
	while (true) {
		size_t item = atomic_fetch_add(&board->next, 1);

		if (item >= count)
			return;
		fn(ctx, item);
		atomic_store(&board->is_done[item], true);
	}
}

/* Start a child; -1: it cannot be had, and the others do its part. */
static pid_t start(
	struct board *board, size_t count, br_worker_fn *fn, void *ctx)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* It has nothing to do for a parent that is gone. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		work(board, count, fn, ctx);
	_exit(0);
}

static void wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
}

void br_workers_run(
	size_t count, size_t worker_count, br_worker_fn *fn, void *ctx)
{
	pid_t children[WORKERS_MAX];
	size_t child_count = 0;
	size_t size_bytes = sizeof(struct board) + count * sizeof(atomic_bool);
	struct board *board = br_workers_share(size_bytes);

	while (child_count + 1 < worker_count && child_count + 1 < count &&
		child_count < WORKERS_MAX) {
		pid_t pid = start(board, count, fn, ctx);

		if (pid < 0)
			break;
		children[child_count++] = pid;
	}
	work(board, count, fn, ctx);
	for (size_t i = 0; i < child_count; i++)
		wait_for(children[i]);
	for (size_t item = 0; item < count; item++)
		if (!atomic_load(&board->is_done[item]))
			fn(ctx, item);
	br_workers_unshare(board, size_bytes);
}
