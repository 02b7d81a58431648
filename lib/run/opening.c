/* SPDX-License-Identifier: MIT */
#include "run/opening.h"

#include "run/stages.h"

static bool has_own_host(const struct br_stage_run *run)
{
	return run->host && run->host != run->owner->shared;
}

static struct br_service_run *service_of(
	const struct br_stage_run *run, size_t position)
{
	return &run->owner->services
			.items[run->stage->services.items[position]];
}

/* Whether anything has to be opened for this stage alone. */
static bool has_needs(const struct br_stage_run *run)
{
	return has_own_host(run) || run->stage->services.count > 0;
}

static bool is_closed(const struct br_stage_run *run)
{
	if (has_own_host(run) && run->host->state == BR_HOST_CLOSED)
		return true;
	for (size_t i = 0; i < run->stage->services.count; i++)
		if (service_of(run, i)->state == BR_SERVICE_IDLE)
			return true;
	return false;
}

static void open_for(const struct br_stage_run *run)
{
	if (has_own_host(run) && run->host->state == BR_HOST_CLOSED)
		br_host_want(run->host);
	for (size_t i = 0; i < run->stage->services.count; i++)
		if (service_of(run, i)->state == BR_SERVICE_IDLE)
			br_service_want(service_of(run, i));
}

void br_opening_renew(struct br_stage_run *run)
{
	if (has_own_host(run))
		br_host_want(run->host);
	for (size_t i = 0; i < run->stage->services.count; i++)
		br_service_want(service_of(run, i));
}

static bool is_due(const struct br_stage_run *run)
{
	return run->phase == BR_STAGE_DUE || run->phase == BR_STAGE_READY;
}

/* The due stage on the longest path for which nothing is open; NULL: none. */
static struct br_stage_run *find_due(const struct br_stages *stages)
{
	struct br_stage_run *first = NULL;

	for (size_t i = 0; i < stages->count; i++) {
		struct br_stage_run *run = &stages->runs[i];

		if (is_due(run) && is_closed(run) &&
			(!first || run->stage->path_ms > first->stage->path_ms))
			first = run;
	}
	return first;
}

static size_t count_open_due(const struct br_stages *stages)
{
	size_t count = 0;

	for (size_t i = 0; i < stages->count; i++)
		count += is_due(&stages->runs[i]) &&
			has_needs(&stages->runs[i]) &&
			!is_closed(&stages->runs[i]);
	return count;
}

/*
 * Those that run do not count: when one of them ends, the next one is to start at
 * once.
 */
static void open_due(const struct br_stages *stages)
{
	size_t open_count = count_open_due(stages);

	for (; open_count < stages->options.jobs; open_count++) {
		struct br_stage_run *run = find_due(stages);

		if (!run)
			return;
		open_for(run);
	}
}

/*
 * One that runs after a failure is none of the next while there is none, nor is one whose
 * result may be in the stage cache.
 */
static bool is_expected(const struct br_stage_run *run)
{
	const struct br_caching *caching = run->owner->options.caching;

	if (br_caching_has(caching, run->index) &&
		br_outlook_of(&caching->outlook, run->index) !=
			BR_PROSPECT_RUNS)
		return false;
	return run->phase == BR_STAGE_WAITING &&
		(run->stage->status != BR_WHEN_FAILURE ||
			run->owner->groups.items[run->stage->group]
				.has_failed_before);
}

/* What waits for a job to be free is open ahead of its turn as well. */
static size_t count_ahead(const struct br_stages *stages)
{
	size_t jobs = stages->options.jobs;
	size_t open_count = stages->running_count + count_open_due(stages);

	return open_count > jobs ? open_count - jobs : 0;
}

static void open_ahead(const struct br_stages *stages)
{
	size_t ahead = count_ahead(stages);
	size_t jobs = stages->options.jobs;
	size_t left = ahead < jobs ? jobs - ahead : 0;

	for (size_t i = 0; i < stages->count && left > 0; i++) {
		const struct br_stage_run *run = &stages->runs[i];

		if (!is_expected(run) || !has_needs(run))
			continue;
		open_for(run);
		left--;
	}
}

void br_opening_look(struct br_stages *stages)
{
	/* Where all stages share one container there is nothing to look for. */
	if (stages->shared && stages->options.hosts->count == 1)
		return;
	open_due(stages);
	open_ahead(stages);
}
