/* SPDX-License-Identifier: MIT */
/*
 * failing_malloc - for LD_PRELOAD: the N-th allocation of a process fails.
 *
 * FAIL_ALLOCATION=N: the N-th, and those after it; in the process that started with it
 * alone, not in its children. FAIL_REPORT=FILE: how many there were goes there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef void *malloc_fn(size_t size);
typedef void *calloc_fn(size_t count, size_t size);
typedef void *realloc_fn(void *old, size_t size);

/* A library that is preloaded has nowhere else to keep it. */
static struct {
	malloc_fn *malloc;
	calloc_fn *calloc;
	realloc_fn *realloc;
	long fail_from;
	long count;
	pid_t pid;
} state;

/* ISO C has no conversion from an object's pointer to a function's. */
static void find(const char *name, void *pointer)
{
	*(void **)pointer = dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void)
{
	const char *number = getenv("FAIL_ALLOCATION");

	find("malloc", &state.malloc);
	find("calloc", &state.calloc);
	find("realloc", &state.realloc);
	state.count = 0;
	state.pid = getpid();
	state.fail_from = number ? strtol(number, NULL, 10) : 0;
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("FAIL_REPORT");

	if (!path || getpid() != state.pid)
		return;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)dprintf(fd, "%ld\n", state.count);
}

static int must_fail(void)
{
	state.count++;
	if (state.fail_from == 0 || state.count < state.fail_from ||
		getpid() != state.pid)
		return 0;
	errno = ENOMEM;
	return 1;
}

/* The C library's names for the parameters are not for others to use. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
void *malloc(size_t size)
{
	if (!state.malloc)
		find("malloc", &state.malloc);
	return must_fail() ? NULL : state.malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!state.calloc)
		find("calloc", &state.calloc);
	return must_fail() ? NULL : state.calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (!state.realloc)
		find("realloc", &state.realloc);
	return must_fail() ? NULL : state.realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, total);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
