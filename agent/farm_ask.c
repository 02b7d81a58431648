/* SPDX-License-Identifier: MIT */
/* farm_ask.c - what a command asks of the broker, and waits for. */
#include <stdio.h>

#include "agent/farm.h"
#include "agent/names.h"
#include "base/clock.h"

enum {
	ANSWER_TIMEOUT_MS = 30 * 1000,
	/* Messages that the broker sends ahead, and so the most that are kept. */
	PREFETCH = 1000,
};

void farm_take_answer(void *ctx, const struct br_reply *reply)
{
	struct farm_answer *answer = ctx;

	*answer = (struct farm_answer){
		.is_there = true,
		.err = reply->err,
		.code = reply->code,
		.message_count = reply->message_count,
		.consumer_count = reply->consumer_count,
	};
	if (reply->queue)
		(void)snprintf(answer->queue, sizeof(answer->queue), "%s",
			reply->queue);
}

/* Wait until *is_done. */
static bool await(struct farm *farm, const bool *is_done, struct br_err *err)
{
	int64_t until_ms = br_clock_now_ms() + ANSWER_TIMEOUT_MS;

	while (!*is_done) {
		if (farm->signal != 0)
			return br_fail(err, BR_ECANCELED, "stopped");
		if (br_clock_now_ms() >= until_ms)
			return br_fail(err, BR_ETIMEDOUT,
				"the broker does not answer");
		if (!farm_turn(farm, until_ms, -1, NULL, err))
			return false;
	}
	return true;
}

bool farm_await(
	struct farm *farm, struct farm_answer *answer, struct br_err *err)
{
	return await(farm, &answer->is_there, err);
}

bool farm_expect(
	struct farm *farm, struct farm_answer *answer, struct br_err *err)
{
	if (!farm_await(farm, answer, err))
		return false;
	return answer->err.code == BR_OK ||
		br_fail(err, BR_EUNAVAIL, "the broker refuses: %s",
			answer->err.text);
}

bool farm_publish(struct farm *farm, const struct br_message *message,
	bool *is_returned, struct br_err *err)
{
	farm->is_confirmed = false;
	farm->is_accepted = false;
	farm->is_returned = false;
	farm->tag = br_message_publish(farm->broker, FARM_MAIN, message);
	if (!await(farm, &farm->is_confirmed, err))
		return false;
	*is_returned = farm->is_returned;
	return farm->is_accepted ||
		br_fail(err, BR_EUNAVAIL, "the broker does not take it");
}

static bool declare_events(struct farm *farm, struct br_err *err)
{
	struct farm_answer answer = { 0 };

	if (farm->events[0] != '\0')
		return true;
	br_exchange_declare(farm->broker, FARM_EVENTS, NAMES_EVENTS, "topic",
		farm_take_answer, &answer);
	return farm_expect(farm, &answer, err) &&
		farm_listen(farm, FARM_EVENTS, farm->events, err);
}

bool farm_subscribe(struct farm *farm, const char *key, struct br_err *err)
{
	struct farm_answer answer = { 0 };

	if (!declare_events(farm, err))
		return false;
	br_queue_bind(farm->broker, FARM_EVENTS, farm->events, NAMES_EVENTS,
		key, farm_take_answer, &answer);
	return farm_expect(farm, &answer, err);
}

bool farm_listen(struct farm *farm, unsigned channel,
	char queue[FARM_QUEUE_BYTES], struct br_err *err)
{
	const struct br_queue_spec spec = {
		.name = "",
		.is_exclusive = true,
		.is_auto_deleted = true,
	};
	struct farm_answer answer = { 0 };
	struct farm_answer consuming = { 0 };

	br_queue_declare(
		farm->broker, channel, &spec, farm_take_answer, &answer);
	if (!farm_expect(farm, &answer, err))
		return false;
	(void)snprintf(queue, FARM_QUEUE_BYTES, "%s", answer.queue);
	answer = (struct farm_answer){ 0 };
	br_channel_prefetch(
		farm->broker, channel, PREFETCH, farm_take_answer, &answer);
	br_queue_consume(farm->broker, channel, queue, "buildr",
		farm_take_answer, &consuming);
	return farm_expect(farm, &answer, err) &&
		farm_expect(farm, &consuming, err);
}
