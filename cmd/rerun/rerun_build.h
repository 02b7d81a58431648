/* SPDX-License-Identifier: MIT */
/* rerun_build.h - one build of --watch, as a child. */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/options/options.h"
#include "plan/plan.h"

/* What stops it, in place of SIGINT and SIGTERM, which it does not hear. */
enum {
	BUILD_INTERRUPT = SIGUSR1,
	BUILD_TERMINATE = SIGUSR2,
};

/*
 * Start `buildr run` with these options and give its pid; `changed`, if not NULL, is
 * what stages with `when: changes` look at. It has no stdin, and is stopped by
 * rerun_build_stop() alone, or when this process dies.
 *
 * Fails with BR_ESYSTEM.
 */
bool rerun_build_start(const struct options *options,
	const struct br_plan_names *changed, pid_t *pid,
	struct br_err *err) BR_MUST_CHECK;

/* Ask it to stop, as by the signal SIGINT or SIGTERM. */
void rerun_build_stop(pid_t pid, int number);

/* Give the exit status of a child that has ended; -1: it runs. */
int rerun_build_status(pid_t pid);
