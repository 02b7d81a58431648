/* SPDX-License-Identifier: MIT */
#include "agent/farm.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/names.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	ANSWER_TIMEOUT_MS = 30 * 1000,
	/* A view may stand still for a while: somebody reads it. */
	HEARTBEAT_SECONDS = 60,
	/* Messages that the broker sends ahead, and so the most that are kept. */
	PREFETCH = 1000,
};

static void keep_message(void *ctx, const struct br_delivery *delivery)
{
	struct farm *farm = ctx;
	struct farm_inbox *inbox = &farm->inboxes[delivery->channel];
	struct farm_message *message = br_alloc(sizeof(*message));

	*message = (struct farm_message){
		.tag = delivery->tag,
		.routing_key = br_strdup(delivery->routing_key),
		.body = br_memdup(delivery->body.data, delivery->body.len),
		.body_len = delivery->body.len,
	};
	*inbox->last = message;
	inbox->last = &message->next;
}

static void note_confirm(void *ctx, unsigned channel, uint64_t tag,
	bool is_multiple, bool is_accepted)
{
	struct farm *farm = ctx;

	if (channel != FARM_MAIN ||
		(tag != farm->tag && !(is_multiple && tag > farm->tag)))
		return;
	farm->is_confirmed = true;
	farm->is_accepted = is_accepted;
}

static void note_return(void *ctx, unsigned channel, const char *routing_key)
{
	struct farm *farm = ctx;

	(void)channel;
	(void)routing_key;
	farm->is_returned = true;
}

static void note_loss(void *ctx, const struct br_err *why)
{
	struct farm *farm = ctx;

	farm->lost = *why;
}

static void note_cancelled(void *ctx, unsigned channel)
{
	struct farm *farm = ctx;

	(void)channel;
	if (farm->lost.code == BR_OK)
		(void)br_fail(&farm->lost, BR_EUNAVAIL,
			"the broker has deleted our queue");
}

static void note_closed(void *ctx, unsigned channel, const struct br_reply *why)
{
	/* A refused look is its asker's to tell; events do not come any more. */
	if (channel != FARM_EVENTS && channel != FARM_REPLIES)
		return;

	struct farm *farm = ctx;
	if (farm->lost.code == BR_OK)
		farm->lost = why->err;
}

static void note_blocked(void *ctx, bool is_blocked, const char *why)
{
	(void)ctx;
	if (is_blocked)
		(void)fprintf(stderr,
			"buildr: the broker takes nothing for now: %s\n", why);
}

static int watch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool ask_confirms(struct farm *farm, struct br_err *err)
{
	struct farm_answer answer = { 0 };

	for (unsigned channel = FARM_MAIN; channel <= FARM_REPLIES; channel++) {
		answer = (struct farm_answer){ 0 };
		br_channel_open(
			farm->broker, channel, farm_take_answer, &answer);
		if (!farm_expect(farm, &answer, err))
			return false;
	}
	answer = (struct farm_answer){ 0 };
	br_channel_confirm(farm->broker, FARM_MAIN, farm_take_answer, &answer);
	return farm_expect(farm, &answer, err);
}

bool farm_open(
	const struct options *options, struct farm *farm, struct br_err *err)
{
	const struct br_broker_options where = {
		.url = options->broker ? options->broker
				       : "amqp://guest:guest@127.0.0.1:5672/",
		.ca_file = options->ca_file,
		.cert_file = options->cert_file,
		.key_file = options->key_file,
		.name = "buildr",
		.heartbeat_seconds = HEARTBEAT_SECONDS,
		.timeout_ms = CONNECT_TIMEOUT_MS,
	};
	const struct br_broker_handlers handlers = {
		.ctx = farm,
		.closed = note_loss,
		.delivered = keep_message,
		.confirmed = note_confirm,
		.returned = note_return,
		.cancelled = note_cancelled,
		.channel_closed = note_closed,
		.blocked = note_blocked,
	};

	*farm = (struct farm){ .signal_fd = -1 };
	for (unsigned channel = 0; channel <= FARM_REPLIES; channel++)
		farm->inboxes[channel].last = &farm->inboxes[channel].first;
	if (!br_broker_open(&where, &handlers, &farm->broker, err))
		return br_wrap(err, "broker");
	/* Not before: a signal ends a connecting that hangs. */
	farm->signal_fd = watch_signals();
	return ask_confirms(farm, err);
}

static void free_message(struct farm_message *message)
{
	free(message->routing_key);
	free(message->body);
	free(message);
}

void farm_close(struct farm *farm)
{
	/* Nothing is acknowledged: the queues are gone with the connection. */
	for (unsigned channel = 0; channel <= FARM_REPLIES; channel++)
		while (farm->inboxes[channel].first) {
			struct farm_message *first =
				farm->inboxes[channel].first;

			farm->inboxes[channel].first = first->next;
			free_message(first);
		}
	br_broker_free(farm->broker);
	if (farm->signal_fd >= 0)
		(void)close(farm->signal_fd);
}

static void take_signals(struct farm *farm)
{
	struct signalfd_siginfo info;

	/* A terminal that closes is an end like any other. */
	while (read(farm->signal_fd, &info, sizeof(info)) ==
		(ssize_t)sizeof(info))
		farm->signal = info.ssi_signo == SIGINT ? SIGINT : SIGTERM;
}

bool farm_turn(struct farm *farm, int64_t until_ms, int fd, bool *is_ready,
	struct br_err *err)
{
	struct pollfd waits[] = {
		{ .fd = br_broker_fd(farm->broker),
			.events = br_broker_poll_events(farm->broker) },
		{ .fd = farm->signal_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	struct br_err lost = { 0 };

	until_ms =
		br_clock_earlier(until_ms, br_broker_deadline_ms(farm->broker));
	(void)poll(waits, sizeof(waits) / sizeof(waits[0]),
		br_clock_left_ms(until_ms));
	if (waits[1].revents)
		take_signals(farm);
	if (is_ready)
		*is_ready = waits[2].revents != 0;
	if (br_broker_work(farm->broker, &lost) && farm->lost.code == BR_OK)
		return true;
	if (farm->lost.code == BR_OK)
		farm->lost = lost;
	return br_fail(
		err, BR_EUNAVAIL, "the broker is lost: %s", farm->lost.text);
}

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

const struct farm_message *farm_first(const struct farm *farm, unsigned channel)
{
	return farm->inboxes[channel].first;
}

void farm_drop(struct farm *farm, unsigned channel)
{
	struct farm_inbox *inbox = &farm->inboxes[channel];
	struct farm_message *first = inbox->first;

	br_delivery_ack(farm->broker, channel, first->tag);
	inbox->first = first->next;
	if (!inbox->first)
		inbox->last = &inbox->first;
	free_message(first);
}

int farm_complain(const struct farm *farm, const struct br_err *err)
{
	if (err->code == BR_ECANCELED)
		return FARM_EXIT_SIGNAL + farm->signal;
	(void)fprintf(stderr, "buildr: %s\n", err->text);
	return err->code == BR_EINPUT ? FARM_EXIT_USAGE : FARM_EXIT_ENVIRONMENT;
}
