/* SPDX-License-Identifier: MIT */
/*
 * probe.h - a look at the machine in a child process, so that the loop waits for nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/agent.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Starts out all zero but for fd -1: it does not run. */
struct probe {
	pid_t pid;
	/* Readable: something is there for probe_end(). */
	int fd;
	/* When it has taken too long, in monotonic ms; -1: it does not run. */
	int64_t deadline_ms;
	/* What is wrong. */
	struct br_buf said;
};

/* What the child does, as check_machine(). Fails with what is wrong. */
typedef bool probe_fn(const struct agent_options *options, struct br_err *err);

/*
 * Start it, with so much time. Ownership: probe_stop(), or a true probe_end(). Fails with
 * BR_ESYSTEM.
 */
bool probe_start(const struct agent_options *options, probe_fn *look,
	int64_t time_ms, struct probe *probe, struct br_err *err) BR_MUST_CHECK;

/*
 * Say whether it has ended, by itself or because its time was over; *err is then what
 * is wrong, and BR_OK where nothing is.
 */
bool probe_end(struct probe *probe, struct br_err *err);

/* End it. May be called twice. */
void probe_stop(struct probe *probe);
