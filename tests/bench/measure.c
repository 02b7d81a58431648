/* SPDX-License-Identifier: MIT */
/*
 * measure.c - runs a program and writes what it took to descriptor 3.
 *
 *	measure COMMAND [ARGUMENT...] 3>FILE
 *
 * Writes "<seconds> <peak resident KiB> <status>". A program of its own because
 * the kernel counts the memory of whoever forked as the child's: a large parent
 * would be measured instead.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

int main(int argc, char **argv)
{
	int64_t start_us = br_clock_now_us();
	struct rusage usage = { 0 };
	int status = 0;
	pid_t child = argc > 1 ? fork() : -1;

	if (child < 0)
		return 2;
	if (child == 0) {
		(void)close(3);
		(void)execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) < 0)
		return 2;
	return dprintf(3, "%.6f %ld %d\n",
		       (double)(br_clock_now_us() - start_us) / 1e6,
		       usage.ru_maxrss,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128) < 0;
}
