/* SPDX-License-Identifier: MIT */
#include "agent/farm.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	/* A view may stand still for a while: somebody reads it. */
	HEARTBEAT_SECONDS = 60,
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
