/* SPDX-License-Identifier: MIT */
/* The claim, the result, the tries: in this order, each after the broker's word. */
#include "agent/names.h"
#include "agent/order_private.h"
#include "agent/report.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "checkout/checkout.h"

enum {
	/* Before the claim of a job that another has is asked for again. */
	CLAIM_RETRY_MS = 2000,
	/* Tries of a job in all (contract.md). */
	TRIES_MAX = 3,
};

static void record_try(struct order *order)
{
	br_autofree char *tries = names_tries(order->id);
	const struct br_message message = {
		.exchange = "",
		.routing_key = tries,
		.body = br_str(order->options->name),
		.is_persistent = true,
		.is_mandatory = true,
	};

	order_send(order, &message, -1);
}

/*
 * A job that comes again and was never tried: its agent died before it began, or the
 * broker has forgotten what it did. Who knows gets the time to say so.
 */
static bool linger(struct order *order)
{
	if (!order->is_redelivered || order->attempt > 1)
		return false;
	order->is_redelivered = false;
	order->state = ORDER_LINGERING;
	order->due_ms = br_clock_now_ms() + LEDGER_LINGER_MS;
	return true;
}

static void on_tries(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_CHECKING) || order_refuse(order, reply))
		return;
	/* One that came back from a lost connection goes on where it was. */
	if (order_has_build(order)) {
		order->state = ORDER_WORKING;
		order_publish(order);
		return;
	}
	order->attempt = (uint32_t)reply->message_count + 1;
	if (linger(order))
		return;
	if (order->attempt <= TRIES_MAX) {
		record_try(order);
		return;
	}
	order->is_dead = true;
	order_begin_try(order);
}

static void on_bound(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_CHECKING) || order_refuse(order, reply))
		return;
	order_await(order);
	names_declare_tries(order->options->broker, order->channel, order->id,
		on_tries, order);
}

static void on_result(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_CHECKING) || order_refuse(order, reply))
		return;
	if (reply->message_count > 0) {
		/* It was reported; only the acknowledgement was missing. */
		ledger_add(order->options->ledger, order->id);
		order_drop(order);
		order_acknowledge(order);
		order_finish(order,
			order->has_report ? ORDER_END_REPORTED
					  : ORDER_END_ELSEWHERE);
		return;
	}

	order_await(order);
	names_bind_result(order->options->broker, order->channel, order->id,
		on_bound, order);
}

static void on_exchange(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_CHECKING) || order_refuse(order, reply))
		return;
	order_await(order);
	names_declare_result(order->options->broker, order->channel, order->id,
		on_result, order);
}

static void on_confirming(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_CHECKING) || order_refuse(order, reply))
		return;
	order_await(order);
	br_exchange_declare(order->options->broker, order->channel,
		NAMES_EVENTS, "topic", on_exchange, order);
}

void order_check_again(struct order *order)
{
	order->state = ORDER_CHECKING;
	order->due_ms = -1;
	order->is_returned = false;
	order_confirm_channel(order, on_confirming);
}

void order_leave(struct order *order)
{
	order_drop(order);
	order->has_report = false;
	order->is_returned = false;
	if (order->delivery_tag == 0) {
		/* Whoever delivered it to us may do so again. */
		order_finish(order, ORDER_END_ELSEWHERE);
		return;
	}
	order->state = ORDER_CLAIMED_ELSEWHERE;
	order->due_ms = br_clock_now_ms() + CLAIM_RETRY_MS;
}

static void on_later_tries(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_ADRIFT) || reply->err.code != BR_OK)
		return;
	if (reply->message_count > order->attempt)
		order_leave(order);
}

/*
 * Somebody has the claim of a job of which we have a build: another agent, which has
 * recorded a try then, or our own connection of before, of whose end the broker does
 * not know yet.
 */
static void wait_for_claim(struct order *order)
{
	order->state = ORDER_ADRIFT;
	order->due_ms = br_clock_now_ms() + CLAIM_RETRY_MS;
	order_await(order);
	names_declare_tries(order->options->broker, order->channel, order->id,
		on_later_tries, order);
}

static void on_claim(void *ctx, const struct br_reply *reply)
{
	enum { RESOURCE_LOCKED = 405 };
	struct order *order = ctx;

	if (!order_take(order, ORDER_CLAIMING))
		return;
	if (reply->code == RESOURCE_LOCKED) {
		if (order_has_build(order))
			wait_for_claim(order);
		else
			order_leave(order);
		return;
	}
	if (order_refuse(order, reply))
		return;
	order->has_claim = true;
	order_check_again(order);
}

void order_claim(struct order *order)
{
	order->state = ORDER_CLAIMING;
	order->due_ms = -1;
	order_open_channel(order);
	order_await(order);
	names_claim_build(order->options->broker, order->channel, order->id,
		on_claim, order);
}

static bool start_worker(struct order *order)
{
	const struct worker_options options = {
		.job = order->job,
		.build = order->id,
		.attempt = order->attempt,
		.name = order->options->name,
		.work_dir = order->options->work_dir,
		.docker_sock = order->options->docker_sock,
		.policy = order->options->policy,
	};
	struct br_err err = { 0 };

	/* A worker that was killed may have left its tree to its janitor's lock. */
	(void)br_checkout_sweep(order->options->work_dir);
	return worker_start(&options, &order->worker, &err);
}

/* Whether there is nothing to find out for a worker. */
static bool is_known(const struct order *order)
{
	return order->mistake.code != BR_OK || order->is_dead ||
		order->is_cancelled;
}

const char *order_explain(const struct order *order)
{
	if (order->is_cancelled)
		return "cancelled before it began";
	if (order->is_dead)
		return "the job was tried three times, and each time its "
		       "agent or engine failed";
	return order->mistake.text;
}

static bool report(struct order *order)
{
	const struct report report = {
		.build = order->id,
		.attempt = order->attempt,
		.name = order->options->name,
		.text = order_explain(order),
		.is_tries = order->is_dead && !order->is_cancelled,
		.is_cancelled = order->is_cancelled,
	};
	struct br_err err = { 0 };

	order->has_worker_ended = true;
	order->worker_status = WORKER_DONE;
	return report_error(&report, &order->backlog, &err);
}

void order_begin_try(struct order *order)
{
	struct br_err err = { 0 };

	if (order->is_returned) {
		/* The queue of tries is gone again. */
		order_check_again(order);
		return;
	}
	order->state = ORDER_WORKING;
	if (!backlog_open(order->options->work_dir, &order->backlog, &err) ||
		!(is_known(order) ? report(order) : start_worker(order))) {
		order_hand_back(order);
		return;
	}
	order_publish(order);
}
