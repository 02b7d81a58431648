/* SPDX-License-Identifier: MIT */
#include "agent/names.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clean.h"

char *names_claim(const char *build)
{
	return br_format("buildr.claim.%s", build);
}

char *names_result(const char *build)
{
	return br_format("buildr.result.%s", build);
}

char *names_tries(const char *build)
{
	return br_format("buildr.tries.%s", build);
}

char *names_dead(const char *queue)
{
	return br_format("%s.dead", queue);
}

char *names_finished(const char *build)
{
	return br_format("%s.build.finished", build);
}

void names_bind_result(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx)
{
	br_autofree char *name = names_result(build);
	br_autofree char *key = names_finished(build);

	br_queue_bind(broker, channel, name, NAMES_EVENTS, key, fn, ctx);
}

void names_claim_build(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx)
{
	br_autofree char *name = names_claim(build);
	const struct br_queue_spec spec = {
		.name = name,
		.is_exclusive = true,
		.is_auto_deleted = true,
	};

	br_queue_declare(broker, channel, &spec, fn, ctx);
}

char *names_job_queue(const char *queue, const struct job_texts *labels)
{
	struct br_buf name = { 0 };

	br_buf_add_text(&name, queue);
	for (size_t i = 0; i < labels->count; i++)
		br_buf_addf(
			&name, "%c%s", i == 0 ? '@' : '+', labels->items[i]);
	return br_buf_take(&name);
}

static void declare_kept(struct br_broker *broker, unsigned channel,
	const char *name, br_reply_fn *fn, void *ctx)
{
	const struct br_queue_spec spec = {
		.name = name,
		.is_durable = true,
		.expires_ms = NAMES_KEPT_MS,
	};

	br_queue_declare(broker, channel, &spec, fn, ctx);
}

void names_declare_result(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx)
{
	br_autofree char *name = names_result(build);

	declare_kept(broker, channel, name, fn, ctx);
}

void names_declare_tries(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx)
{
	br_autofree char *name = names_tries(build);

	declare_kept(broker, channel, name, fn, ctx);
}

/* A queue of jobs in the making, while that of its dead ones is declared. */
struct declaring {
	struct br_broker *broker;
	unsigned channel;
	char *dead;
	char *name;
	br_reply_fn *fn;
	void *ctx;
};

static void declare_jobs(const struct declaring *declaring)
{
	const struct br_queue_spec spec = {
		.name = declaring->name,
		.is_durable = true,
		.is_quorum = true,
		.dead_letter_exchange = "",
		.dead_letter_routing_key = declaring->dead,
	};

	br_queue_declare(declaring->broker, declaring->channel, &spec,
		declaring->fn, declaring->ctx);
}

static void on_dead(void *ctx, const struct br_reply *reply)
{
	struct declaring *declaring = ctx;

	/* A refusal has closed the channel, and is no word on the next queue. */
	if (reply->err.code == BR_EUNAVAIL)
		declaring->fn(declaring->ctx, reply);
	else
		declare_jobs(declaring);
	free(declaring->dead);
	free(declaring->name);
	free(declaring);
}

void names_declare_job_queue(struct br_broker *broker, unsigned channel,
	const char *base, const char *name, br_reply_fn *fn, void *ctx)
{
	struct declaring *declaring = br_alloc(sizeof(*declaring));

	*declaring = (struct declaring){
		.broker = broker,
		.channel = channel,
		.dead = names_dead(base),
		.name = br_strdup(name),
		.fn = fn,
		.ctx = ctx,
	};
	const struct br_queue_spec spec = {
		.name = declaring->dead,
		.is_durable = true,
	};
	br_queue_declare(broker, channel, &spec, on_dead, declaring);
}
