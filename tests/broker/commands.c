/* SPDX-License-Identifier: MIT */
/* The commands of talk: each is one call of lib/broker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parse.h"
#include "tests/broker/talk.h"

enum { WORDS_MAX = 16 };

const char *talk_code(enum br_code code)
{
	static const char *const names[] = { "OK", "EINPUT", "ENOTFOUND",
		"EUNAVAIL", "EPROTO", "ECANCELED", "ETIMEDOUT", "ESYSTEM" };

	return names[code];
}

const char *talk_word(const char *text)
{
	return *text ? text : "-";
}

int64_t talk_number(const char *text)
{
	struct br_err err;
	int64_t parsed = 0;

	return text && br_parse_int(text, 0, INT64_MAX, &parsed, &err) ? parsed
								       : 0;
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
		room[i] = talk_pattern(i);
	br_buf_grew(body, len);
}

/* `ctx` is the command's name. */
static void replied(void *ctx, const struct br_reply *reply)
{
	const char *name = ctx;

	printf("reply %s %s %u %s %llu %llu %s\n", name,
		talk_code(reply->err.code), reply->code,
		reply->queue ? talk_word(reply->queue) : "-",
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
		(uint16_t)talk_number(words->word[2]), replied, words->name);
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
		.expires_ms = talk_number(value(words, "expires")),
		.dead_letter_exchange = value(words, "dead"),
		.dead_letter_routing_key = value(words, "dead-key"),
		.max_length = talk_number(value(words, "max")),
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
		(uint64_t)talk_number(words->word[2]));
}

static void do_reject(struct talk *talk, const struct words *words)
{
	br_delivery_reject(talk->broker, words->channel,
		(uint64_t)talk_number(words->word[2]), has(words, "requeue"));
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
			talk->broker, (size_t)talk_number(words->word[2]))
			? "yes"
			: "no");
}

static void begin(struct many *many, const struct words *words, uint64_t count)
{
	br_buf_done(&many->body);
	free(many->is_confirmed);
	*many = (struct many){ .channel = words->channel, .count = count };
	many->started_us = br_clock_now_us();
}

/*
 * flood CHANNEL EXCHANGE KEY BODY COUNT: publish many, as the socket takes them; the first
 * that is published on its channel
 */
static void do_flood(struct talk *talk, const struct words *words)
{
	struct many *flood = &talk->flood;

	begin(flood, words, (uint64_t)talk_number(words->word[5]));
	flood->is_confirmed = br_alloc(flood->count + 1);
	(void)snprintf(
		flood->exchange, sizeof(flood->exchange), "%s", words->word[2]);
	(void)snprintf(flood->key, sizeof(flood->key), "%s", words->word[3]);
	make_body(&flood->body, words->word[4]);
}

/* drain - COUNT: take so many messages without a word */
static void do_drain(struct talk *talk, const struct words *words)
{
	begin(&talk->drain, words, (uint64_t)talk_number(words->word[2]));
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

void talk_run(struct talk *talk, char *line)
{
	struct words words = { 0 };
	char *rest = line;

	for (size_t i = 0; i < WORDS_MAX; i++) {
		char *word = rest ? strsep(&rest, " ") : NULL;

		words.word[i] = word && strcmp(word, "-") != 0 ? word : "";
	}
	words.channel = (unsigned)talk_number(words.word[1]);
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
