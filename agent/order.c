/* SPDX-License-Identifier: MIT */
#include "agent/order.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/names.h"
#include "agent/order_private.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/limits.h"
#include "checkout/checkout.h"

enum {
	READ_BYTES = 64 * 1024,
	/* What is read of one worker before others have their turn. */
	READS_MAX = 16,
	/* Of a queue's name on the wire. */
	QUEUE_MAX_BYTES = 255,
};

/* What is wrong with the job beyond itself. */
static void check_delivery(
	struct order *order, const struct br_delivery *delivery)
{
	br_autofree char *target =
		names_job_queue(order->options->queue, &order->job->labels);

	if (delivery->is_too_large)
		(void)br_fail(&order->mistake, BR_EINPUT,
			"the job has more than %d bytes",
			(int)BR_LIMIT_MESSAGE_BYTES);
	else if (order->mistake.code == BR_OK &&
		strlen(target) > QUEUE_MAX_BYTES)
		(void)br_fail(&order->mistake, BR_EINPUT,
			"the labels of the job are too long for the name of "
			"a queue");
}

/*
 * Its own id, or, of what cannot hold one, the one beside it; in one form. What is too
 * large is not here to be put back with one: should it be delivered again, it is reported
 * again, under another.
 */
static void take_id(struct order *order, const struct br_delivery *delivery)
{
	const char *id = order->job->id;
	struct br_err ignored = { 0 };

	if (!id && order->mistake.code != BR_OK &&
		br_uuid_is_valid(delivery->message_id))
		id = delivery->message_id;
	if (id)
		(void)snprintf(order->id, sizeof(order->id), "%s", id);
	else if (delivery->is_too_large)
		(void)!br_uuid_make(order->id, &ignored);
	for (char *at = order->id; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
}

struct order *order_new(const struct order_options *options,
	const struct br_delivery *delivery, const char *queue, unsigned channel)
{
	struct order *order = br_alloc(sizeof(*order));

	*order = (struct order){
		.options = options,
		.channel = channel,
		.delivery_channel = delivery->channel,
		.delivery_tag = delivery->tag,
		.is_redelivered = delivery->is_redelivered,
		.queue = br_strdup(queue),
		.reply_to = br_strdup(delivery->reply_to),
		.correlation_id = br_strdup(delivery->correlation_id),
		.worker = { .fd = -1 },
		.ahead = { .fd = -1 },
		.backlog = { .fd = -1 },
		.due_ms = -1,
		.state = ORDER_WAITING,
	};
	br_buf_add(&order->body, delivery->body.data, delivery->body.len);
	if (job_parse(delivery->body, &order->job, &order->mistake))
		order->mistake = (struct br_err){ 0 };
	check_delivery(order, delivery);
	take_id(order, delivery);
	order->replies.repo =
		br_checkout_show(order->job->repo ? order->job->repo : "");
	order->replies.branch =
		order->job->branch ? br_strdup(order->job->branch) : NULL;
	return order;
}

void order_free(struct order *order)
{
	if (!order)
		return;
	(void)worker_end(&order->worker);
	(void)worker_end(&order->ahead);
	backlog_close(&order->backlog);
	replies_done(&order->replies);
	job_free(order->job);
	br_buf_done(&order->body);
	free(order->queue);
	free(order->reply_to);
	free(order->correlation_id);
	free(order);
}

void order_await(struct order *order)
{
	order->pending_count++;
}

bool order_take(struct order *order, enum order_state state)
{
	order->pending_count--;
	return order->state == state;
}

void order_ignore(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	(void)reply;
	order->pending_count--;
}

/* Nobody works on the job any more. */
static void release_claim(struct order *order)
{
	br_autofree char *name = names_claim(order->id);

	if (!order->has_claim)
		return;
	order->has_claim = false;
	order_await(order);
	br_queue_delete(order->options->broker, order->channel, name,
		order_ignore, order);
}

/* End what was started ahead, and did not get to build anything. */
static void drop_ahead(struct order *order)
{
	if (order->ahead.pid <= 0)
		return;
	(void)worker_end(&order->ahead);
	(void)br_checkout_sweep(order->options->work_dir);
}

void order_finish(struct order *order, enum order_end end)
{
	drop_ahead(order);
	order->state = ORDER_DONE;
	order->due_ms = -1;
	release_claim(order);
	order->options->ended(order->options->ctx, order, end);
}

void order_acknowledge(struct order *order)
{
	if (order->delivery_tag == 0)
		return;
	br_delivery_ack(order->options->broker, order->delivery_channel,
		order->delivery_tag);
	order->delivery_tag = 0;
}

void order_hand_back(struct order *order)
{
	order_drop(order);
	order_finish(order, ORDER_END_AGAIN);
	if (order->delivery_tag == 0)
		return;
	br_delivery_reject(order->options->broker, order->delivery_channel,
		order->delivery_tag, true);
	order->delivery_tag = 0;
}

bool order_refuse(struct order *order, const struct br_reply *reply)
{
	if (reply->err.code == BR_OK)
		return false;
	/* A lost connection is told to all orders by itself. */
	if (reply->err.code != BR_EUNAVAIL)
		order_hand_back(order);
	return true;
}

void order_open_channel(struct order *order)
{
	bool *is_open = &order->options->channels->is_open[order->channel];

	if (*is_open)
		return;
	*is_open = true;
	order_await(order);
	br_channel_open(
		order->options->broker, order->channel, order_ignore, order);
}

void order_confirm_channel(struct order *order, br_reply_fn *fn)
{
	static const struct br_reply done = { 0 };
	bool *is_confirming =
		&order->options->channels->is_confirming[order->channel];

	order_await(order);
	if (*is_confirming) {
		fn(order, &done);
		return;
	}
	*is_confirming = true;
	br_channel_confirm(order->options->broker, order->channel, fn, order);
}

bool order_has_build(const struct order *order)
{
	return order->worker.pid > 0 || order->has_worker_ended;
}

void order_drop(struct order *order)
{
	/* It may have left its work tree. */
	bool is_killed = order->worker.pid > 0;

	drop_ahead(order);
	if (is_killed)
		(void)worker_end(&order->worker);
	backlog_close(&order->backlog);
	order->backlog = (struct backlog){ .fd = -1 };
	order->has_worker_ended = false;
	order->window_count = 0;
	if (is_killed)
		(void)br_checkout_sweep(order->options->work_dir);
}

void order_begin(struct order *order)
{
	br_autofree char *target =
		names_job_queue(order->options->queue, &order->job->labels);
	bool is_elsewhere = order->mistake.code == BR_OK &&
		strcmp(order->queue, target) != 0;

	if (order->id[0] != '\0' &&
		ledger_has(order->options->ledger, order->id)) {
		order_acknowledge(order);
		order_finish(order, ORDER_END_ELSEWHERE);
	} else if (order->id[0] == '\0' || is_elsewhere) {
		order_move(order);
	} else {
		order_claim(order);
	}
}

static void end_worker(struct order *order, bool is_kept)
{
	int status = worker_end(&order->worker);

	order->worker_status = is_kept ? status : WORKER_AGAIN;
	order->has_worker_ended = true;
	if (order->worker_status == WORKER_DONE)
		return;
	/* It may have been killed in the middle of a line, with its tree. */
	backlog_cut(&order->backlog);
	(void)br_checkout_sweep(order->options->work_dir);
}

/* Read what the worker tells, and take note of its end. */
static void read_worker(struct order *order)
{
	char data[READ_BYTES];
	struct br_err err = { 0 };

	for (int i = 0; i < READS_MAX; i++) {
		if (backlog_is_full(&order->backlog))
			return;

		ssize_t n = read(order->worker.fd, data, sizeof(data));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			end_worker(order, n == 0);
			return;
		}
		if (!backlog_add(&order->backlog, data, (size_t)n, &err)) {
			end_worker(order, false);
			return;
		}
	}
}

/* What was to be done at a time. */
static void look_at_clock(struct order *order)
{
	if (order->due_ms < 0 || order->due_ms > br_clock_now_ms())
		return;
	order->due_ms = -1;
	if (order->state == ORDER_CLAIMED_ELSEWHERE)
		order->state = ORDER_WAITING;
	else if (order->state == ORDER_LINGERING)
		order_check_again(order);
	else if (order->state == ORDER_ADRIFT)
		order_claim(order);
}

void order_work(struct order *order)
{
	if (order->worker.fd >= 0)
		read_worker(order);
	look_at_clock(order);
	order_publish(order);
}

void order_cast_off(struct order *order)
{
	if (order->state == ORDER_DONE)
		return;
	order->delivery_tag = 0;
	order->has_claim = false;
	order->due_ms = -1;
	order->has_grave = false;
	drop_ahead(order);
	order_forget(order);
	if (order_has_build(order))
		order->state = ORDER_ADRIFT;
	else if (order->is_own)
		/* No broker delivers it again: it begins anew. */
		order->state = ORDER_WAITING;
	else
		order->state = ORDER_DONE;
}

void order_return(struct order *order)
{
	order_claim(order);
}

void order_delivery_lost(struct order *order)
{
	order->delivery_tag = 0;
	/* One of our own came another way, and not again. */
	if (order->is_own ||
		(order->state != ORDER_WAITING &&
			order->state != ORDER_CLAIMED_ELSEWHERE))
		return;
	order->state = ORDER_DONE;
	order->due_ms = -1;
}

void order_adopt(struct order *order, const struct br_delivery *delivery)
{
	order->delivery_channel = delivery->channel;
	order->delivery_tag = delivery->tag;
}

void order_cancel(struct order *order)
{
	bool is_ours = order->state == ORDER_CLAIMING ||
		order->state == ORDER_CHECKING ||
		order->state == ORDER_LINGERING ||
		order->state == ORDER_WORKING;

	/* A second one would not let it clean up. */
	if (!is_ours || order->is_cancelled)
		return;
	order->is_cancelled = true;
	worker_stop(&order->worker, SIGINT);
}
