/* SPDX-License-Identifier: MIT */
/*
 * talk.c - lib/broker by hand: reads a command a line, and prints a line for whatever
 * the connection says. It lives as an agent does: one loop, which never waits elsewhere.
 *
 * usage: talk URL HEARTBEAT_SECONDS TIMEOUT_MS [CA_FILE [CERT_FILE KEY_FILE]]
 *
 * The first line is `ready VERSION ADDRESS` or `failed CODE TEXT`. Commands are in the
 * table at the end of commands.c; `-` is an empty word. A body `*LEN` is LEN bytes of a pattern, and is
 * printed so where it comes.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/broker/talk.h"

enum {
	LINE_BYTES = 4096,
	/* Longer bodies are looked at, not printed. */
	SHOWN_BYTES = 100,
	/* Not confirmed yet, in a flood. */
	FLYING_MAX = 1000,
};

static bool has_pattern(struct br_str body)
{
	for (size_t i = 0; i < body.len; i++)
		if (body.data[i] != talk_pattern(i))
			return false;
	return true;
}

static void closed(void *ctx, const struct br_err *why)
{
	struct talk *talk = ctx;

	talk->is_over = true;
	printf("closed %s %s\n", talk_code(why->code), why->text);
}

/* Where all of them have come, say so and end it. */
static void finish(struct many *many, uint64_t counter, const char *name)
{
	if (counter < many->count)
		return;
	printf("%s %llu %.3f\n", name, (unsigned long long)many->count,
		(double)(br_clock_now_us() - many->started_us) / 1e6);
	many->count = 0;
}

static void delivered(void *ctx, const struct br_delivery *delivery)
{
	struct talk *talk = ctx;
	struct br_str body = delivery->body;

	if (talk->drain.count > 0) {
		br_delivery_ack(talk->broker, delivery->channel, delivery->tag);
		finish(&talk->drain, ++talk->drain.done, "drained");
		return;
	}
	printf("delivered %u %llu %s%s ", delivery->channel,
		(unsigned long long)delivery->tag,
		delivery->is_redelivered ? "again" : "first",
		delivery->is_too_large ? ",too-large" : "");
	if (body.len > SHOWN_BYTES)
		printf("%c%zu", has_pattern(body) ? '*' : '?', body.len);
	else
		printf("%.*s", (int)body.len, body.len ? body.data : "-");
	printf(" %s %s %s %s %s\n", talk_word(delivery->exchange),
		talk_word(delivery->routing_key), talk_word(delivery->reply_to),
		talk_word(delivery->correlation_id),
		talk_word(delivery->message_id));
}

static void confirm_flood(struct many *flood, uint64_t tag, bool is_multiple)
{
	for (uint64_t at = tag; at > 0; at--) {
		if (at <= flood->count && !flood->is_confirmed[at]) {
			flood->is_confirmed[at] = true;
			flood->confirmed++;
		}
		if (!is_multiple)
			break;
	}
	finish(flood, flood->confirmed, "flooded");
}

static void confirmed(void *ctx, unsigned channel, uint64_t tag,
	bool is_multiple, bool is_accepted)
{
	struct talk *talk = ctx;

	if (talk->flood.count > 0)
		confirm_flood(&talk->flood, tag, is_multiple);
	else
		printf("confirmed %u %llu %s%s\n", channel,
			(unsigned long long)tag, is_accepted ? "yes" : "no",
			is_multiple ? " and all before" : "");
}

static void returned(void *ctx, unsigned channel, const char *routing_key)
{
	(void)ctx;
	printf("returned %u %s\n", channel, routing_key);
}

static void cancelled(void *ctx, unsigned channel)
{
	(void)ctx;
	printf("cancelled %u\n", channel);
}

static void channel_closed(
	void *ctx, unsigned channel, const struct br_reply *why)
{
	(void)ctx;
	printf("channel-closed %u %u %s\n", channel, why->code, why->err.text);
}

static void blocked(void *ctx, bool is_blocked, const char *why)
{
	(void)ctx;
	printf("%s %s\n", is_blocked ? "blocked" : "unblocked", talk_word(why));
}

/* Publish of a flood what can be without waiting. */
static void go_on(struct talk *talk)
{
	struct many *flood = &talk->flood;
	const struct br_message message = {
		.exchange = flood->exchange,
		.routing_key = flood->key,
		.body = br_buf_str(&flood->body),
		.is_persistent = true,
	};

	while (flood->done < flood->count &&
		flood->done - flood->confirmed < FLYING_MAX &&
		br_broker_can_publish(talk->broker, message.body.len)) {
		(void)br_message_publish(
			talk->broker, flood->channel, &message);
		flood->done++;
	}
}

static int wait_ms(const struct br_broker *broker)
{
	int64_t deadline_ms = br_broker_deadline_ms(broker);
	int64_t left = deadline_ms - br_clock_now_ms();

	if (deadline_ms == INT64_MAX)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void run_input(struct talk *talk, struct br_buf *input)
{
	char *newline;
	char *room = br_buf_room(input, LINE_BYTES);
	ssize_t n = read(STDIN_FILENO, room, LINE_BYTES);

	if (n <= 0) {
		talk->is_over = true;
		return;
	}
	br_buf_grew(input, (size_t)n);
	while (!talk->is_over &&
		(newline = memchr(input->data, '\n', input->len)) != NULL) {
		*newline = '\0';
		talk_run(talk, input->data);
		br_buf_drop(input, (size_t)(newline + 1 - input->data));
	}
}

static void live(struct talk *talk)
{
	br_autobuf struct br_buf input = { 0 };
	struct br_err err;

	while (!talk->is_over) {
		struct pollfd fds[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = br_broker_fd(talk->broker),
				.events = br_broker_poll_events(talk->broker) },
		};

		(void)fflush(stdout);
		if (poll(fds, 2, wait_ms(talk->broker)) < 0)
			return;
		if (fds[0].revents)
			run_input(talk, &input);
		if (!br_broker_work(talk->broker, &err))
			return;
		go_on(talk);
	}
}

int main(int argc, char **argv)
{
	struct talk talk = { 0 };
	struct br_err err;

	if (argc < 4)
		return 2;
	const struct br_broker_options options = {
		.url = argv[1],
		.heartbeat_seconds = (unsigned)talk_number(argv[2]),
		.ca_file = argc > 4 ? argv[4] : NULL,
		.cert_file = argc > 6 ? argv[5] : NULL,
		.key_file = argc > 6 ? argv[6] : NULL,
		.name = "talk",
		.timeout_ms = talk_number(argv[3]),
	};
	const struct br_broker_handlers handlers = {
		.ctx = &talk,
		.closed = closed,
		.delivered = delivered,
		.confirmed = confirmed,
		.returned = returned,
		.cancelled = cancelled,
		.channel_closed = channel_closed,
		.blocked = blocked,
	};

	if (!br_broker_open(&options, &handlers, &talk.broker, &err)) {
		printf("failed %s %s\n", talk_code(err.code), err.text);
		return 1;
	}
	printf("ready %s %s\n", br_broker_version(talk.broker),
		br_broker_show(talk.broker));
	live(&talk);
	br_broker_free(talk.broker);
	br_buf_done(&talk.flood.body);
	free(talk.flood.is_confirmed);
	return 0;
}
