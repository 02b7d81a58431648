/* SPDX-License-Identifier: MIT */
#include "agent/health.h"

#include <stdio.h>
#include <string.h>

#include "agent/check.h"
#include "base/clock.h"

enum {
	/* Failures of its own in a row before it rests. */
	FAILURES_MAX = 3,
	/* For a look: longer than each of those that it takes. */
	PROBE_MS = 60 * 1000,
	/* Between two looks of one that is well. */
	LOOK_MS = 60 * 1000,
	/* Between two of one that rests: doubled until the last. */
	REST_FIRST_MS = 10 * 1000,
	REST_LAST_MS = 60 * 1000,
};

void health_init(struct health *health)
{
	*health = (struct health){
		.state = HEALTH_UNKNOWN,
		.rest_ms = REST_FIRST_MS,
		.probe = { .fd = -1, .deadline_ms = -1 },
	};
}

void health_done(struct health *health)
{
	probe_stop(&health->probe);
}

bool health_may_begin(const struct health *health)
{
	return health->state != HEALTH_RESTING && !health->is_in_doubt;
}

static void rest(struct health *health, const char *why, int64_t now_ms)
{
	health->state = HEALTH_RESTING;
	(void)snprintf(health->why, sizeof(health->why), "%s", why);
	health->look_ms = now_ms + health->rest_ms;
	health->rest_ms = health->rest_ms * 2 > REST_LAST_MS
		? REST_LAST_MS
		: health->rest_ms * 2;
}

void health_failed(struct health *health, int64_t now_ms)
{
	health->failure_count++;
	if (health->state == HEALTH_RESTING)
		return;
	/* A look that runs was begun before this. */
	probe_stop(&health->probe);
	if (health->failure_count >= FAILURES_MAX) {
		health->is_in_doubt = false;
		rest(health, "three failures of its own in a row", now_ms);
		return;
	}
	health->is_in_doubt = true;
	health->look_ms = now_ms;
}

void health_failed_away(
	struct health *health, const char *build, int64_t now_ms)
{
	if (strcmp(health->away, build) == 0)
		return;
	(void)snprintf(health->away, sizeof(health->away), "%s", build);
	health_failed(health, now_ms);
}

void health_succeeded(struct health *health)
{
	health->failure_count = 0;
	if (health->state != HEALTH_RESTING)
		health->rest_ms = REST_FIRST_MS;
}

void health_looked(struct health *health, const char *wrong, int64_t now_ms)
{
	health->is_in_doubt = false;
	if (wrong) {
		rest(health, wrong, now_ms);
		return;
	}
	/*
	 * The look may have missed what made the jobs fail: until one has passed, one
	 * more failure is enough, and the rest is longer.
	 */
	if (health->state == HEALTH_RESTING) {
		if (health->failure_count >= FAILURES_MAX)
			health->failure_count = FAILURES_MAX - 1;
		else
			health->rest_ms = REST_FIRST_MS;
	}
	health->state = HEALTH_WELL;
	health->why[0] = '\0';
	health->look_ms = now_ms + LOOK_MS;
}

void health_look(struct health *health, int64_t now_ms)
{
	/* One that runs may have looked at what was wrong before. */
	probe_stop(&health->probe);
	health->look_ms = now_ms;
}

int health_fd(const struct health *health)
{
	return health->probe.fd;
}

int64_t health_deadline_ms(const struct health *health)
{
	return health->probe.fd >= 0 ? health->probe.deadline_ms
				     : health->look_ms;
}

void health_work(struct health *health, const struct agent_options *options)
{
	int64_t now_ms = br_clock_now_ms();
	struct br_err err = { 0 };

	if (health->probe.fd >= 0) {
		if (probe_end(&health->probe, &err))
			health_looked(health,
				err.code == BR_OK ? NULL : err.text, now_ms);
	} else if (health->look_ms <= now_ms &&
		!probe_start(options, check_machine, PROBE_MS, &health->probe,
			&err)) {
		health_looked(health, err.text, now_ms);
	}
}
