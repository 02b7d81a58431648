/* SPDX-License-Identifier: MIT */
/*
 * worker.h - the child process that runs one job.
 *
 * It checks the project out, waits for the word to go on, runs it as `buildr run` does,
 * and writes every event as a line of JSON. A build that crashes takes no agent with it;
 * and the worker dies with the agent, and its containers with the worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/job.h"
#include "agent/policy.h"
#include "base/attr.h"
#include "base/err.h"

/* How a worker ends: its exit status. */
enum {
	/* The last event says how the build came out. */
	WORKER_DONE = 0,
	/*
	 * The agent, the engine or the network is at fault: what the last event
	 * says is no result, and another try may pass (EX_TEMPFAIL of sysexits.h).
	 */
	WORKER_AGAIN = 75,
	/*
	 * As WORKER_AGAIN, but it is the repository's server that does not answer:
	 * another job may be of another one (EX_UNAVAILABLE).
	 */
	WORKER_AWAY = 69,
};

/* Of the stage cache, which all builds of an agent share. Strings may be NULL. */
struct worker_cache {
	/* It is neither read nor written. */
	bool is_off;
	/* What a build leaves in it, as br_prune_start() takes it; -1: no limit. */
	int64_t size_bytes;
	int64_t age_ms;
	/* Another one, as br_remote_open() takes it: its URL, which was checked. */
	const char *remote;
	const char *token;
	const char *ca_file;
	bool is_read_only;
};

/* Borrowed for the call of worker_start(). */
struct worker_options {
	const struct job *job;
	/* The build's id. */
	const char *build;
	/* --name, --work-dir, and the engine's address or NULL. */
	const char *name;
	const char *work_dir;
	const char *docker_sock;
	const struct policy *policy;
	const struct worker_cache *cache;
};

/* A child at work. All zero but for fd -1: none. */
struct worker {
	pid_t pid;
	/* Its events, to be read until the end; does not block. */
	int fd;
};

/*
 * Fork. It begins with the checkout, and says nothing before worker_go(). Ownership:
 * worker_end(), after it has ended. Fails with BR_ESYSTEM.
 */
bool worker_start(const struct worker_options *options, struct worker *worker,
	struct br_err *err) BR_MUST_CHECK;

/* Have it build, as this try. One that has died is seen by the end of its events. */
void worker_go(const struct worker *worker, uint32_t attempt);

/* Ask it to stop as a signal does: SIGINT, SIGTERM; a second one at once. */
void worker_stop(const struct worker *worker, int number);

/* Have it stop at once and clean up. */
void worker_abort(const struct worker *worker);

/* Wait for its end until `deadline_ms`, in monotonic ms. What it says is lost. */
void worker_await(const struct worker *worker, int64_t deadline_ms);

/* Kill what is still there, and give how it ended: one of the above. For none, too. */
int worker_end(struct worker *worker);
