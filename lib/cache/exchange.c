/* SPDX-License-Identifier: MIT */
#include "cache/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "cache/exchange_slot.h"
#include "cache/remote_place.h"

enum {
	/* Small files come one after another: what counts is the way there and back. */
	SLOTS = 4,
	POLL_MS = 500,
};

struct br_client {
	const struct br_remote_place *place;
	struct br_curl *curl;
	CURLM *multi;
	struct curl_slist *headers;
	struct br_slot slots[SLOTS];
};

void br_exchange_path(const char *kind, const uint8_t digest[BR_HASH_BYTES],
	char path[BR_EXCHANGE_PATH_BYTES])
{
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_format(digest, hex);
	(void)snprintf(path, BR_EXCHANGE_PATH_BYTES, "/%.3s/%s", kind, hex);
}

bool br_client_open(const struct br_remote_place *place,
	struct br_client **client, struct br_err *err)
{
	br_auto(br_client) struct br_client *opened = br_alloc(sizeof(*opened));
	bool is_tls = br_has_prefix(place->base, "https:");

	opened->place = place;
	if (!br_curl_load(is_tls, &opened->curl, err))
		return false;
	opened->multi = opened->curl->multi_init();
	/* Without it libcurl waits a second before each larger file. */
	opened->headers = opened->curl->slist_append(NULL, "Expect:");
	if (!opened->multi || !opened->headers)
		br_out_of_memory();
	for (size_t i = 0; i < SLOTS; i++)
		br_slot_open(&opened->slots[i], opened->curl);
	*client = br_take_ptr(&opened);
	return true;
}

void br_client_free(struct br_client *client)
{
	if (!client)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		if (client->slots[i].easy)
			client->curl->easy_cleanup(client->slots[i].easy);
	if (client->headers)
		client->curl->slist_free_all(client->headers);
	if (client->multi)
		(void)client->curl->multi_cleanup(client->multi);
	br_curl_free(client->curl);
	free(client);
}

/* The requests of one call. */
struct running {
	struct br_client *client;
	const struct br_exchange_work *work;
	size_t next;
	size_t active_count;
	/* The first failure. */
	struct br_err failure;
};

static struct br_slot *find_idle(struct br_client *client)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (!client->slots[i].is_busy)
			return &client->slots[i];
	return NULL;
}

/* The first failure is the one that counts: others may come of it. */
static void note_failure(struct running *running, const struct br_err *err)
{
	if (running->failure.code == BR_OK)
		running->failure = *err;
}

static void start_next(struct running *running, struct br_slot *slot)
{
	struct br_client *client = running->client;
	const struct br_exchange_work *work = running->work;
	struct br_err err = { 0 };
	bool is_needed = true;

	br_slot_reset(slot, running->next++);
	if (!work->begin(work->ctx, slot->number, &slot->exchange, &is_needed,
		    &err)) {
		note_failure(running, &err);
		return;
	}
	if (!is_needed)
		return;
	br_slot_aim(slot, client->place, client->headers);
	client->curl->multi_add_handle(client->multi, slot->easy);
	slot->is_busy = true;
	running->active_count++;
}

/* `why` is NULL where there is an answer that can be used. */
static void end_slot(
	struct running *running, struct br_slot *slot, const struct br_err *why)
{
	const struct br_exchange_work *work = running->work;
	struct br_err err = { 0 };

	running->client->curl->multi_remove_handle(
		running->client->multi, slot->easy);
	slot->is_busy = false;
	running->active_count--;
	if (why)
		note_failure(running, why);
	if (work->end &&
		!work->end(work->ctx, slot->number, &slot->exchange, why, &err))
		note_failure(running, &err);
	if (slot->exchange.fd >= 0)
		(void)close(br_take_fd(&slot->exchange.fd));
	br_buf_done(&slot->exchange.bytes);
}

static struct br_slot *slot_of(struct br_client *client, CURL *easy)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (client->slots[i].easy == easy)
			return &client->slots[i];
	return NULL;
}

static void take_ends(struct running *running)
{
	struct br_client *client = running->client;
	int left = 0;

	for (CURLMsg *message =
			client->curl->multi_info_read(client->multi, &left);
		message;
		message = client->curl->multi_info_read(client->multi, &left)) {
		struct br_slot *slot = slot_of(client, message->easy_handle);
		CURLcode code = message->data.result;
		struct br_err err = { 0 };

		if (message->msg != CURLMSG_DONE || !slot)
			continue;
		if (br_slot_judge(slot, client->place, code, &err))
			end_slot(running, slot, NULL);
		else
			end_slot(running, slot, &err);
	}
}

static void give_up(struct running *running)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (running->client->slots[i].is_busy)
			end_slot(running, &running->client->slots[i],
				&running->failure);
}

static void start_some(struct running *running)
{
	struct br_slot *idle = find_idle(running->client);

	while (idle && running->next < running->work->count &&
		running->failure.code == BR_OK) {
		start_next(running, idle);
		idle = find_idle(running->client);
	}
}

/* Drive what is on its way, and wait unless something has come to its end. */
static void drive(struct running *running)
{
	const struct br_client *client = running->client;
	size_t before = running->active_count;
	int active = 0;

	if (client->curl->multi_perform(client->multi, &active))
		(void)br_fail(&running->failure, BR_ESYSTEM,
			"libcurl could not go on");
	take_ends(running);
	if (running->active_count == before &&
		client->curl->multi_poll(client->multi, NULL, 0, POLL_MS, NULL))
		(void)br_fail(&running->failure, BR_ESYSTEM,
			"libcurl could not wait");
}

bool br_client_run(struct br_client *client,
	const struct br_exchange_work *work, struct br_err *err)
{
	struct running running = { .client = client, .work = work };

	start_some(&running);
	while (running.active_count > 0 && running.failure.code == BR_OK) {
		drive(&running);
		start_some(&running);
	}
	give_up(&running);
	if (running.failure.code == BR_OK)
		return true;
	*err = running.failure;
	return false;
}

static void move(struct br_exchange *to, struct br_exchange *from)
{
	*to = *from;
	*from = (struct br_exchange){ .fd = -1 };
}

static bool begin_one(void *ctx, size_t number, struct br_exchange *exchange,
	bool *is_needed, struct br_err *err)
{
	(void)number;
	(void)err;
	*is_needed = true;
	move(exchange, ctx);
	return true;
}

static bool end_one(void *ctx, size_t number, struct br_exchange *exchange,
	const struct br_err *why, struct br_err *err)
{
	(void)number;
	(void)why;
	(void)err;
	move(ctx, exchange);
	return true;
}

bool br_client_do(struct br_client *client, struct br_exchange *exchange,
	struct br_err *err)
{
	const struct br_exchange_work work = {
		.ctx = exchange,
		.count = 1,
		.begin = begin_one,
		.end = end_one,
	};

	return br_client_run(client, &work, err);
}
