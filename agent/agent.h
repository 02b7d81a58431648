/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the loop that takes jobs from the broker and has them built.
 *
 * One loop polls the broker, the workers and the signals, and never waits for one of
 * them alone, so that heartbeats go on during builds of any length; but for connecting,
 * which takes up to five seconds, and what the resolver takes for a name. There is one
 * connection: what is published, claimed and acknowledged on it is lost with it
 * together. Where it is lost the workers go on, and what they tell is kept until there
 * is a new one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/diary.h"
#include "agent/job.h"
#include "agent/policy.h"
#include "agent/worker.h"

/* Borrowed for the call of agent_run(). */
struct agent_options {
	const char *broker;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	const char *queue;
	const char *name;
	const char *work_dir;
	const char *docker_sock;
	/* ADDRESS:PORT for http.h; NULL: nowhere. */
	const char *listen;
	/* Mirrors that are older, or take more room together, go; 0: any. */
	int64_t mirror_max_age_ms;
	int64_t mirror_max_bytes;
	/* With less under work_dir the agent rests; 0: it does not look. */
	int64_t min_free_bytes;
	enum diary_form log;
	unsigned jobs;
	struct job_texts labels;
	struct policy policy;
	struct worker_cache cache;
};

/* What SIGHUP does. Borrowed for the call of agent_run(). */
struct agent_reload {
	void *ctx;
	/*
	 * Put the options that agent_run() has into their place anew; `kept` gets the
	 * names of those that have changed and do not take effect. Fails with
	 * BR_EINPUT, and has changed nothing then.
	 */
	bool (*read)(void *ctx, struct br_buf *kept, struct br_err *err);
};

/*
 * Take jobs until SIGTERM (finish what runs) or a second one, or SIGINT (stop it and
 * give it back). Gives the exit status: 0, or 3 where it cannot run at all.
 */
int agent_run(
	const struct agent_options *options, const struct agent_reload *reload);
