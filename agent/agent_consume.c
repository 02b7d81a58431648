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

struct consumer {
	struct agent *agent;
	size_t index;
	/* Of the agent, when this was begun. */
	unsigned consume_count;
};

static bool is_wanted(const struct consumer *consumer)
{
	const struct agent *agent = consumer->agent;

	return agent->broker && agent->is_consuming &&
		agent->consume_count == consumer->consume_count;
}

static void consume(struct agent *agent, size_t index)
{
	char name[CONSUMER_BYTES];

	name_consumer(agent, index, name);
	br_queue_consume(agent->broker, CHANNEL_JOBS, agent->queues[index],
		name, on_consuming, agent);
}

static void on_declared(void *ctx, const struct br_reply *reply)
{
	struct consumer *consumer = ctx;
	struct agent *agent = consumer->agent;

	/* 406: it is there in another form, which is as good. */
	if (is_wanted(consumer) && reply->err.code != BR_EUNAVAIL)
		consume(agent, consumer->index);
	free(consumer);
}

static void on_looked_for(void *ctx, const struct br_reply *reply)
{
	struct consumer *consumer = ctx;
	struct agent *agent = consumer->agent;

	if (reply->err.code == BR_OK && is_wanted(consumer)) {
		consume(agent, consumer->index);
		free(consumer);
	} else if (reply->err.code == BR_ENOTFOUND && is_wanted(consumer)) {
		names_declare_job_queue(agent->broker, CHANNEL_LOOK,
			agent->options->queue, agent->queues[consumer->index],
			on_declared, consumer);
	} else {
		free(consumer);
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
	for (size_t i = 0; i < agent->queue_count; i++) {
		struct consumer *consumer = br_alloc(sizeof(*consumer));
		const struct br_queue_spec spec = {
			.name = agent->queues[i],
			.is_passive = true,
		};

		*consumer = (struct consumer){
			.agent = agent,
			.index = i,
			.consume_count = agent->consume_count,
		};
		br_queue_declare(agent->broker, CHANNEL_LOOK, &spec,
			on_looked_for, consumer);
	}
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
