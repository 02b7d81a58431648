/* SPDX-License-Identifier: MIT */
/*
 * health.h - whether an agent takes jobs.
 *
 * Each failure of its own costs a job one of its three tries, so an agent that cannot
 * build must not go on taking jobs. It rests where a look at its machine (probe.h)
 * finds something wrong, and after three failures in a row whatever the look says; it
 * looks again until all is well. After any failure it begins nothing before it has
 * looked. Bad jobs are no failures.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/probe.h"
#include "base/uuid.h"

enum health_state {
	/* It has not looked yet: it takes nothing from queues. */
	HEALTH_UNKNOWN,
	HEALTH_WELL,
	HEALTH_RESTING,
};

/* Starts out by health_init(). */
struct health {
	enum health_state state;
	/* Why it rests; "" where it does not. */
	char why[512];
	/* Failures of its own in a row. */
	unsigned failure_count;
	/* The build whose repository was away last. */
	char away[BR_UUID_TEXT_BYTES];
	/* A failure that it has not looked after yet. */
	bool is_in_doubt;
	/* When to look, in monotonic ms. */
	int64_t look_ms;
	/* How long it rests before the next look. */
	int64_t rest_ms;
	struct probe probe;
};

/* Begin, with a look at once. Ownership: health_done(). */
void health_init(struct health *health);

/* End a look. */
void health_done(struct health *health);

/* Say whether a job may be begun. */
bool health_may_begin(const struct health *health);

/* A job's try has ended in a failure of the agent's own; or in a report. */
void health_failed(struct health *health, int64_t now_ms);
/*
 * As health_failed(), where the repository's server does not answer: that may be the
 * agent's network or a job's mistake, and so counts once for a build.
 */
void health_failed_away(
	struct health *health, const char *build, int64_t now_ms);
void health_succeeded(struct health *health);

/* A look has ended; `wrong` is NULL where all is well. */
void health_looked(struct health *health, const char *wrong, int64_t now_ms);

/* Look at once: what is wrong may have been put right. */
void health_look(struct health *health, int64_t now_ms);

/* What to poll for input (-1: nothing), and when health_work() is due. */
int health_fd(const struct health *health);
int64_t health_deadline_ms(const struct health *health);

/* Begin a look that is due, and take note of the end of one. */
void health_work(struct health *health, const struct agent_options *options);
