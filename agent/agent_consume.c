/* SPDX-License-Identifier: MIT */
/* The queues that jobs come from: their names, and when they are taken from. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/agent_private.h"
#include "agent/names.h"
#include "base/alloc.h"

static void ignore(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	(void)reply;
}

/* A consumer is called after its queue, and never again as one was before. */
enum { CONSUMER_BYTES = 48 };

static void name_consumer(
	const struct agent *agent, size_t index, char name[CONSUMER_BYTES])
{
	(void)snprintf(
		name, CONSUMER_BYTES, "%u.%zu", agent->consume_count, index);
}

void agent_stop_consuming(struct agent *agent)
{
	char name[CONSUMER_BYTES];

	if (!agent->broker || !agent->is_consuming)
		return;
	agent->is_consuming = false;
	for (size_t i = 0; i < agent->queue_count; i++) {
		name_consumer(agent, i, name);
		br_queue_cancel(
			agent->broker, CHANNEL_JOBS, name, ignore, NULL);
	}
}

static void on_consuming(void *ctx, const struct br_reply *reply)
{
	struct agent *agent = ctx;

	if (reply->err.code != BR_OK)
		diary(agent->options->log, "no jobs", "why", reply->err.text,
			NULL);
	else
		agent->retry_ms = RETRY_FIRST_MS;
}

/*
 * The queues are looked at one after another: what is refused of one would answer those
 * behind it too.
 */

static void on_looked_for(void *ctx, const struct br_reply *reply);

/* Look at the next queue, if there is one. */
static void look(struct agent *agent)
{
	if (agent->walk.index == agent->queue_count)
		return;

	const struct br_queue_spec spec = {
		.name = agent->queues[agent->walk.index],
		.is_passive = true,
	};
	agent->walk.is_asking = true;
	br_queue_declare(
		agent->broker, CHANNEL_LOOK, &spec, on_looked_for, agent);
}

/* Take an answer. Gives false where it is none any more: to queues of before, say. */
static bool take_answer(struct agent *agent, const struct br_reply *reply)
{
	bool is_anew = agent->walk.is_anew;

	agent->walk.is_asking = false;
	agent->walk.is_anew = false;
	if (reply->err.code == BR_EUNAVAIL || !agent->is_consuming)
		return false;
	if (is_anew)
		look(agent);
	return !is_anew;
}

static void consume(struct agent *agent)
{
	char name[CONSUMER_BYTES];

	name_consumer(agent, agent->walk.index, name);
	br_queue_consume(agent->broker, CHANNEL_JOBS,
		agent->queues[agent->walk.index], name, on_consuming, agent);
}

static void on_declared(void *ctx, const struct br_reply *reply)
{
	enum { PRECONDITION_FAILED = 406 };
	struct agent *agent = ctx;

	if (!take_answer(agent, reply))
		return;
	/* It is there in another form, which is as good. */
	if (reply->err.code == BR_OK || reply->code == PRECONDITION_FAILED)
		consume(agent);
	else
		on_consuming(agent, reply);
	agent->walk.index++;
	look(agent);
}

static void on_looked_for(void *ctx, const struct br_reply *reply)
{
	struct agent *agent = ctx;

	if (reply->err.code != BR_ENOTFOUND) {
		on_declared(agent, reply);
	} else if (take_answer(agent, reply)) {
		agent->walk.is_asking = true;
		names_declare_job_queue(agent->broker, CHANNEL_LOOK,
			agent->options->queue, agent->queues[agent->walk.index],
			on_declared, agent);
	}
}

bool agent_may_consume(const struct agent *agent)
{
	return agent->broker && !agent->is_consuming &&
		agent->stop_count == 0 &&
		agent->operations.health.state == HEALTH_WELL;
}

/* Take jobs from every queue: one that is there is taken as it is. */
void agent_start_consuming(struct agent *agent)
{
	agent->is_consuming = true;
	agent->consume_count++;
	agent->rest_ms = -1;
	br_channel_prefetch(agent->broker, CHANNEL_JOBS,
		(uint16_t)agent->options->jobs, ignore, NULL);
	agent->walk.index = 0;
	agent->walk.is_anew = agent->walk.is_asking;
	if (!agent->walk.is_asking)
		look(agent);
}

/* An agent takes from the queues of all subsets of its labels. */
void agent_name_queues(struct agent *agent)
{
	const struct job_texts *labels = &agent->options->labels;
	size_t count = (size_t)1 << labels->count;

	agent->queues = br_alloc_array(count, sizeof(*agent->queues));
	agent->queue_count = count;
	for (size_t set = 0; set < count; set++) {
		const char *items[8];
		struct job_texts subset = { .items = items };

		for (size_t i = 0; i < labels->count; i++)
			if (set & ((size_t)1 << i))
				items[subset.count++] = labels->items[i];
		agent->queues[set] =
			names_job_queue(agent->options->queue, &subset);
	}
}

void agent_free_queues(struct agent *agent)
{
	for (size_t i = 0; i < agent->queue_count; i++)
		free(agent->queues[i]);
	free(agent->queues);
	agent->queues = NULL;
	agent->queue_count = 0;
}
