/* SPDX-License-Identifier: MIT */
#include "agent/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/names.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

/* Much longer than the broker's two seconds, and a connection's end that is seen late. */
enum { FRESH_MS = 2 * 60 * 1000 };

void ledger_add(struct ledger *ledger, const char *id)
{
	struct ledger_entry *entry = &ledger->entries[ledger->next];

	(void)snprintf(entry->id, sizeof(entry->id), "%s", id);
	entry->when_ms = br_clock_now_ms();
	ledger->next = (ledger->next + 1) % LEDGER_ENTRIES;
	if (ledger->count < LEDGER_ENTRIES)
		ledger->count++;
}

bool ledger_has(const struct ledger *ledger, const char *id)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (strcmp(ledger->entries[i].id, id) == 0)
			return true;
	return false;
}

static bool is_fresh(const struct ledger_entry *entry)
{
	return br_clock_now_ms() - entry->when_ms < FRESH_MS;
}

bool ledger_is_fresh(const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (is_fresh(&ledger->entries[i]))
			return true;
	return false;
}

/* One that is said again. */
struct repeat {
	struct br_broker *broker;
	unsigned channel;
	char id[BR_UUID_TEXT_BYTES];
};

static void on_result(void *ctx, const struct br_reply *reply)
{
	br_autofree struct repeat *repeat = ctx;
	br_autofree char *name = names_result(repeat->id);
	const struct br_message message = {
		.exchange = "",
		.routing_key = name,
		.body = br_str("reported"),
		.is_persistent = true,
	};

	if (reply->err.code == BR_OK && reply->message_count == 0)
		(void)br_message_publish(
			repeat->broker, repeat->channel, &message);
}

static void repeat_one(
	struct br_broker *broker, unsigned channel, const char *id)
{
	struct repeat *repeat = br_alloc(sizeof(*repeat));

	*repeat = (struct repeat){ .broker = broker, .channel = channel };
	(void)snprintf(repeat->id, sizeof(repeat->id), "%s", id);
	names_declare_result(broker, channel, id, on_result, repeat);
}

void ledger_repeat(
	struct ledger *ledger, struct br_broker *broker, unsigned channel)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (is_fresh(&ledger->entries[i]))
			repeat_one(broker, channel, ledger->entries[i].id);
}
