/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the loop that takes jobs from the broker and has them built.
 *
 * One loop polls the broker, the workers and the signals, and never waits for one of
 * them alone, so that heartbeats go on during builds of any length. There is one
 * connection: what is published, claimed and acknowledged on it is lost with it
 * together. Where it is lost the workers go on, and what they tell is kept until there
 * is a new one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/job.h"
#include "agent/policy.h"

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
	unsigned jobs;
	struct job_texts labels;
	struct policy policy;
};

/*
 * Take jobs until SIGTERM (finish what runs) or a second one, or SIGINT (stop it and
 * give it back). Gives the exit status: 0, or 3 where it cannot run at all.
 */
int agent_run(const struct agent_options *options);
