/* SPDX-License-Identifier: MIT */
/*
 * gcov_exit.c - a child that leaves by _exit() is counted too. Linked in by
 * tests/coverage with -Wl,--wrap=_exit.
 */
#include <stdnoreturn.h>

/* gcov's name, and those that the linker's --wrap gives. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void __gcov_dump(void);
noreturn void __real__exit(int status);
noreturn void __wrap__exit(int status);

noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
/* NOLINTEND(bugprone-reserved-identifier) */
