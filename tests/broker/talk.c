/* SPDX-License-Identifier: MIT */
/*
 * talk.c - lib/broker by hand: reads a command a line, and prints a line for whatever
 * the connection says. It lives as an agent does: one loop, which never waits elsewhere.
 *
 * usage: talk URL HEARTBEAT_SECONDS [CA_FILE [CERT_FILE KEY_FILE]]
 *
 * The first line is `ready VERSION ADDRESS` or `failed CODE TEXT`. Commands are in the
 * table at the end; `-` is an empty word. A body `*LEN` is LEN bytes of a pattern, and is
 * printed so where it comes.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"
#include "broker/broker.h"

enum {
	WORDS_MAX = 16,
	LINE_BYTES = 4096,
	/* Longer bodies are looked at, not printed. */
	SHOWN_BYTES = 100,
	TIMEOUT_MS = 20000,
	/* Not confirmed yet, in a flood. */
	FLYING_MAX = 1000,
};

/* Many messages at once, to be published or taken; `count` is 0 where none are. */
struct many {
	unsigned channel;
	char exchange[256];
	char key[256];
	struct br_buf body;
	uint64_t count;
	uint64_t done;
	uint64_t confirmed;
	int64_t started_us;
};

struct talk {
	struct br_broker *broker;
	struct many flood;
	struct many drain;
	bool is_over;
};

static const char *code_name(enum br_code code)
{
	static const char *const names[] = { "OK", "EINPUT", "ENOTFOUND",
		"EUNAVAIL", "EPROTO", "ECANCELED", "ETIMEDOUT", "ESYSTEM" };

	return names[code];
}

static const char *show(const char *text)
{
	return *text ? text : "-";
}

static char pattern(size_t i)
{
	return (char)('a' + i % 23);
}

static void make_body(struct br_buf *body, const char *word)
{
	br_buf_clear(body);
	if (*word != '*') {
		br_buf_add_text(body, word);
		return;
	}
	size_t len = strtoul(word + 1, NULL, 10);
	char *room = br_buf_room(body, len);

	for (size_t i = 0; i < len; i++)
		room[i] = pattern(i);
	br_buf_grew(body, len);
}

static bool has_pattern(struct br_str body)
{
	for (size_t i = 0; i < body.len; i++)
		if (body.data[i] != pattern(i))
			return false;
	return true;
}

static void closed(void *ctx, const struct br_err *why)
{
	struct talk *talk = ctx;

	talk->is_over = true;
	printf("closed %s %s\n", code_name(why->code), why->text);
}

/* Count a message of many; true where it was one. */
static bool count_one(struct many *many, uint64_t *counter, uint64_t more,
	const char *name)
{
	if (many->count == 0)
		return false;
	*counter += more;
	if (*counter >= many->count) {
		printf("%s %llu %.3f\n", name, (unsigned long long)many->count,
			(double)(br_clock_now_us() - many->started_us) / 1e6);
		many->count = 0;
	}
	return true;
}

static void delivered(void *ctx, const struct br_delivery *delivery)
{
	struct talk *talk = ctx;
	struct br_str body = delivery->body;

	if (talk->drain.count > 0) {
		br_delivery_ack(
			talk->broker, delivery->channel, delivery->tag);
		(void)count_one(
			&talk->drain, &talk->drain.done, 1, "drained");
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
	printf(" %s %s %s %s %s\n", show(delivery->exchange),
		show(delivery->routing_key), show(delivery->reply_to),
		show(delivery->correlation_id), show(delivery->message_id));
}

static void confirmed(void *ctx, unsigned channel, uint64_t tag,
	bool is_multiple, bool is_accepted)
{
	struct talk *talk = ctx;
	uint64_t before = talk->flood.confirmed;
	uint64_t more = is_multiple && tag > before ? tag - before : 1;

	if (!count_one(&talk->flood, &talk->flood.confirmed, more, "flooded"))
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
	printf("%s %s\n", is_blocked ? "blocked" : "unblocked", show(why));
}

/* `ctx` is the command's name. */
static void replied(void *ctx, const struct br_reply *reply)
{
	const char *name = ctx;

	printf("reply %s %s %u %s %llu %llu %s\n", name,
		code_name(reply->err.code), reply->code,
		reply->queue ? show(reply->queue) : "-",
		(unsigned long long)reply->message_count,
		(unsigned long long)reply->consumer_count, reply->err.text);
}

/* A command's words; those that are not there are "". */
struct words {
	const char *word[WORDS_MAX];
	char *name;
	unsigned channel;
};

static bool has(const struct words *words, const char *flag)
{
	for (size_t i = 2; i < WORDS_MAX; i++)
		if (strcmp(words->word[i], flag) == 0)
			return true;
	return false;
}

/* The value of a word NAME=VALUE; NULL: none. */
static const char *value(const struct words *words, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 2; i < WORDS_MAX; i++)
		if (strncmp(words->word[i], name, len) == 0 &&
			words->word[i][len] == '=')
			return words->word[i] + len + 1;
	return NULL;
}

static int64_t number(const char *text)
{
	struct br_err err;
	int64_t parsed = 0;

	return text && br_parse_int(text, 0, INT64_MAX, &parsed, &err) ? parsed
								       : 0;
}

static void do_open(struct talk *talk, const struct words *words)
{
	br_channel_open(talk->broker, words->channel, replied, words->name);
}

static void do_close(struct talk *talk, const struct words *words)
{
	br_channel_close(talk->broker, words->channel);
}

static void do_confirm(struct talk *talk, const struct words *words)
{
	br_channel_confirm(talk->broker, words->channel, replied, words->name);
}

static void do_prefetch(struct talk *talk, const struct words *words)
{
	br_channel_prefetch(talk->broker, words->channel,
		(uint16_t)number(words->word[2]), replied, words->name);
}

static void do_declare(struct talk *talk, const struct words *words)
{
	const struct br_queue_spec spec = {
		.name = words->word[2],
		.is_passive = has(words, "passive"),
		.is_durable = has(words, "durable"),
		.is_exclusive = has(words, "exclusive"),
		.is_auto_deleted = has(words, "auto"),
		.is_quorum = has(words, "quorum"),
		.expires_ms = number(value(words, "expires")),
		.dead_letter_exchange = value(words, "dead"),
		.dead_letter_routing_key = value(words, "dead-key"),
		.max_length = number(value(words, "max")),
	};

	br_queue_declare(
		talk->broker, words->channel, &spec, replied, words->name);
}

static void do_bind(struct talk *talk, const struct words *words)
{
	br_queue_bind(talk->broker, words->channel, words->word[2],
		words->word[3], words->word[4], replied, words->name);
}

static void do_delete(struct talk *talk, const struct words *words)
{
	br_queue_delete(talk->broker, words->channel, words->word[2], replied,
		words->name);
}

static void do_exchange(struct talk *talk, const struct words *words)
{
	br_exchange_declare(talk->broker, words->channel, words->word[2],
		words->word[3], replied, words->name);
}

static void do_consume(struct talk *talk, const struct words *words)
{
	br_queue_consume(talk->broker, words->channel, words->word[2],
		words->word[3], replied, words->name);
}

static void do_cancel(struct talk *talk, const struct words *words)
{
	br_queue_cancel(talk->broker, words->channel, words->word[2], replied,
		words->name);
}

static void do_ack(struct talk *talk, const struct words *words)
{
	br_delivery_ack(talk->broker, words->channel,
		(uint64_t)number(words->word[2]));
}

static void do_reject(struct talk *talk, const struct words *words)
{
	br_delivery_reject(talk->broker, words->channel,
		(uint64_t)number(words->word[2]), has(words, "requeue"));
}

/* publish CHANNEL EXCHANGE KEY BODY [persistent] [mandatory] [reply=…]… */
static void do_publish(struct talk *talk, const struct words *words)
{
	br_autobuf struct br_buf body = { 0 };

	make_body(&body, words->word[4]);
	const struct br_message message = {
		.exchange = words->word[2],
		.routing_key = words->word[3],
		.body = br_buf_str(&body),
		.is_persistent = has(words, "persistent"),
		.is_mandatory = has(words, "mandatory"),
		.reply_to = value(words, "reply"),
		.correlation_id = value(words, "correlation"),
		.message_id = value(words, "id"),
	};
	uint64_t tag =
		br_message_publish(talk->broker, words->channel, &message);
	printf("published %llu\n", (unsigned long long)tag);
}

/* can - LEN: whether so much can be published */
static void do_can(struct talk *talk, const struct words *words)
{
	printf("can %s\n",
		br_broker_can_publish(
			talk->broker, (size_t)number(words->word[2]))
			? "yes"
			: "no");
}

static void begin(struct many *many, const struct words *words, uint64_t count)
{
	struct br_buf body = many->body;

	*many = (struct many){ .channel = words->channel, .body = body };
	many->count = count;
	many->started_us = br_clock_now_us();
}

/* flood CHANNEL EXCHANGE KEY BODY COUNT: publish many, as the socket takes them */
static void do_flood(struct talk *talk, const struct words *words)
{
	struct many *flood = &talk->flood;

	begin(flood, words, (uint64_t)number(words->word[5]));
	(void)snprintf(flood->exchange, sizeof(flood->exchange), "%s",
		words->word[2]);
	(void)snprintf(
		flood->key, sizeof(flood->key), "%s", words->word[3]);
	make_body(&flood->body, words->word[4]);
}

/* drain - COUNT: take so many messages without a word */
static void do_drain(struct talk *talk, const struct words *words)
{
	begin(&talk->drain, words, (uint64_t)number(words->word[2]));
}

static void do_ping(struct talk *talk, const struct words *words)
{
	(void)words;
	printf("pong %llu\n", (unsigned long long)talk->flood.done);
}

static void do_memory(struct talk *talk, const struct words *words)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	(void)talk;
	(void)words;
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "VmRSS:", 6) == 0 ||
			strncmp(line, "RssAnon:", 8) == 0)
			printf("%.*s ", (int)strcspn(line, "\n"), line);
	printf("\n");
	if (file)
		(void)fclose(file);
}

static void do_quit(struct talk *talk, const struct words *words)
{
	(void)words;
	talk->is_over = true;
}

struct command {
	const char *name;
	void (*run)(struct talk *talk, const struct words *words);
};

static const struct command commands[] = {
	{ "open", do_open },
	{ "close", do_close },
	{ "confirm", do_confirm },
	{ "prefetch", do_prefetch },
	{ "declare", do_declare },
	{ "bind", do_bind },
	{ "delete", do_delete },
	{ "exchange", do_exchange },
	{ "consume", do_consume },
	{ "cancel", do_cancel },
	{ "ack", do_ack },
	{ "reject", do_reject },
	{ "publish", do_publish },
	{ "can", do_can },
	{ "flood", do_flood },
	{ "drain", do_drain },
	{ "ping", do_ping },
	{ "memory", do_memory },
	{ "quit", do_quit },
};

static void run_line(struct talk *talk, char *line)
{
	struct words words = { 0 };
	char *rest = line;

	for (size_t i = 0; i < WORDS_MAX; i++) {
		char *word = rest ? strsep(&rest, " ") : NULL;

		words.word[i] = word && strcmp(word, "-") != 0 ? word : "";
	}
	words.channel = (unsigned)number(words.word[1]);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(words.word[0], commands[i].name) != 0)
			continue;
		/* Names of commands live as long as requests do. */
		memcpy(&words.name, &commands[i].name, sizeof(words.name));
		commands[i].run(talk, &words);
		return;
	}
	printf("what is '%s'?\n", line);
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
		run_line(talk, input->data);
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

	if (argc < 3)
		return 2;
	const struct br_broker_options options = {
		.url = argv[1],
		.heartbeat_seconds = (unsigned)number(argv[2]),
		.ca_file = argc > 3 ? argv[3] : NULL,
		.cert_file = argc > 5 ? argv[4] : NULL,
		.key_file = argc > 5 ? argv[5] : NULL,
		.name = "talk",
		.timeout_ms = TIMEOUT_MS,
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
		printf("failed %s %s\n", code_name(err.code), err.text);
		return 1;
	}
	printf("ready %s %s\n", br_broker_version(talk.broker),
		br_broker_show(talk.broker));
	live(&talk);
	br_broker_free(talk.broker);
	br_buf_done(&talk.flood.body);
	br_buf_done(&talk.drain.body);
	return 0;
}
