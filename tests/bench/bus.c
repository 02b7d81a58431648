/* SPDX-License-Identifier: MIT */
/*
 * bus.c - puts jobs on a queue, one after another, and times what comes back.
 *
 *	bus URL QUEUE REPO COUNT SETTLE_MS [SLOW_MS]
 *
 * Listens to all events. Writes a line for each job: ms from before the publish to its
 * first event and to its last, bytes of its output events as they came, and ms between
 * the first and the last of these. Before each it waits for SETTLE_MS. With SLOW_MS it is
 * also a subscriber that takes all events, and one of them in so many ms.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"
#include "broker/broker.h"

enum {
	CHANNEL = 1,
	SLOW_CHANNEL = 2,
	HEARTBEAT_SECONDS = 20,
	TIMEOUT_MS = 5000
};

struct bus {
	struct br_broker *broker;
	bool is_ready;
	/* What the job was called; its times are 0 where there are none. */
	char build[BR_UUID_TEXT_BYTES];
	int64_t put_us;
	int64_t first_us;
	int64_t last_us;
	int64_t output_first_us;
	int64_t output_last_us;
	uint64_t output_bytes;
	/* The slow subscriber's. */
	uint64_t slow_tag;
	int64_t slow_due_ms;
	int64_t slow_ms;
	/* When the next job is put; -1: one is built. */
	int64_t settled_ms;
};

static void closed(void *ctx, const struct br_err *why)
{
	(void)ctx;
	(void)fprintf(stderr, "bus: %s\n", why->text);
	exit(EXIT_FAILURE);
}

static void take_event(struct bus *bus, const char *type, size_t len)
{
	int64_t now_us = br_clock_now_us();

	if (bus->first_us == 0)
		bus->first_us = now_us;
	if (strcmp(type, "build.finished") == 0)
		bus->last_us = now_us;
	if (strcmp(type, "output") != 0)
		return;
	if (bus->output_first_us == 0)
		bus->output_first_us = now_us;
	bus->output_last_us = now_us;
	bus->output_bytes += len;
}

static void delivered(void *ctx, const struct br_delivery *delivery)
{
	struct bus *bus = ctx;
	size_t len = strlen(bus->build);

	if (delivery->channel == SLOW_CHANNEL) {
		bus->slow_tag = delivery->tag;
		bus->slow_due_ms = br_clock_now_ms() + bus->slow_ms;
		return;
	}
	if (strncmp(delivery->routing_key, bus->build, len) == 0)
		take_event(bus, delivery->routing_key + len + 1,
			delivery->body.len);
	br_delivery_ack(bus->broker, delivery->channel, delivery->tag);
}

static void ignore(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	if (reply->err.code != BR_OK)
		(void)fprintf(stderr, "bus: %s\n", reply->err.text);
}

static void on_listening(void *ctx, const struct br_reply *reply)
{
	struct bus *bus = ctx;

	bus->is_ready = reply->err.code == BR_OK;
	ignore(ctx, reply);
}

static void listen_to(struct bus *bus, unsigned channel, const char *queue,
	uint16_t prefetch, br_reply_fn *fn)
{
	const struct br_queue_spec spec = {
		.name = queue,
		.is_exclusive = true,
		.is_auto_deleted = true,
	};

	br_channel_open(bus->broker, channel, ignore, bus);
	br_channel_prefetch(bus->broker, channel, prefetch, ignore, bus);
	br_exchange_declare(
		bus->broker, channel, "buildr.events", "topic", ignore, bus);
	br_queue_declare(bus->broker, channel, &spec, ignore, bus);
	br_queue_bind(
		bus->broker, channel, queue, "buildr.events", "#", ignore, bus);
	br_queue_consume(bus->broker, channel, queue, queue, fn, bus);
}

static void turn(struct bus *bus)
{
	int64_t due_ms = br_clock_earlier(
		br_clock_earlier(
			br_broker_deadline_ms(bus->broker), bus->slow_due_ms),
		bus->settled_ms);
	int64_t left_ms = due_ms - br_clock_now_ms();
	struct pollfd wait = {
		.fd = br_broker_fd(bus->broker),
		.events = br_broker_poll_events(bus->broker),
	};
	struct br_err ignored = { 0 };

	(void)poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0);
	if (bus->slow_due_ms >= 0 && br_clock_now_ms() >= bus->slow_due_ms) {
		bus->slow_due_ms = -1;
		br_delivery_ack(bus->broker, SLOW_CHANNEL, bus->slow_tag);
	}
	(void)!br_broker_work(bus->broker, &ignored);
}

static void settle(struct bus *bus, int64_t settle_ms)
{
	int64_t end_ms = br_clock_now_ms() + settle_ms;

	bus->settled_ms = end_ms;
	while (br_clock_now_ms() < end_ms)
		turn(bus);
	bus->settled_ms = -1;
}

static void run_job(struct bus *bus, const char *queue, const char *repo)
{
	char body[4096];
	struct br_err err = { 0 };

	if (!br_uuid_make(bus->build, &err))
		exit(EXIT_FAILURE);
	(void)snprintf(body, sizeof(body), "{\"id\":\"%s\",\"repo\":\"%s\"}",
		bus->build, repo);
	const struct br_message message = {
		.exchange = "",
		.routing_key = queue,
		.body = br_str(body),
		.is_persistent = true,
	};

	bus->first_us = bus->last_us = 0;
	bus->output_first_us = bus->output_last_us = 0;
	bus->output_bytes = 0;
	bus->put_us = br_clock_now_us();
	(void)br_message_publish(bus->broker, CHANNEL, &message);
	while (bus->last_us == 0)
		turn(bus);
	printf("%.3f %.3f %llu %.3f\n",
		(double)(bus->first_us - bus->put_us) / 1e3,
		(double)(bus->last_us - bus->put_us) / 1e3,
		(unsigned long long)bus->output_bytes,
		(double)(bus->output_last_us - bus->output_first_us) / 1e3);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bus bus = { .slow_due_ms = -1, .settled_ms = -1 };
	const struct br_broker_options where = {
		.url = argc > 5 ? argv[1] : "",
		.name = "bus",
		.heartbeat_seconds = HEARTBEAT_SECONDS,
		.timeout_ms = TIMEOUT_MS,
	};
	const struct br_broker_handlers handlers = {
		.ctx = &bus,
		.closed = closed,
		.delivered = delivered,
	};
	struct br_err err = { 0 };

	if (!br_broker_open(&where, &handlers, &bus.broker, &err)) {
		(void)fprintf(stderr, "bus: %s\n", err.text);
		return EXIT_FAILURE;
	}
	if (argc > 6) {
		bus.slow_ms = strtol(argv[6], NULL, 10);
		listen_to(&bus, SLOW_CHANNEL, "bench.slow", 1, ignore);
	}
	listen_to(&bus, CHANNEL, "bench.bus", 0, on_listening);
	while (!bus.is_ready)
		turn(&bus);
	for (long i = 0; i < strtol(argv[4], NULL, 10); i++) {
		settle(&bus, strtol(argv[5], NULL, 10));
		run_job(&bus, argv[2], argv[3]);
	}
	br_broker_free(bus.broker);
	return EXIT_SUCCESS;
}
