/* SPDX-License-Identifier: MIT */
/* The claim, the result, the tries: asked for at once, and answered in this order. */
#include "agent/names.h"
#include "agent/order_private.h"
#include "agent/report.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

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

/*
 * One that came back from a lost connection goes on where it was. The broker may have
 * forgotten, or never taken, the record of the try.
 */
static void go_on(struct order *order, uint64_t recorded_count)
{
	order->state = ORDER_WORKING;
	if (recorded_count < order->attempt)
		record_try(order);
	order_publish(order);
}

static void on_tries(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_CHECKING) || order_refuse(order, reply))
		return;
	if (order_has_build(order)) {
		go_on(order, reply->message_count);
		return;
	}
	order->attempt = (uint32_t)reply->message_count + 1;
	if (linger(order))
		return;
	order->is_dead = order->attempt > TRIES_MAX;
	/* What was recorded ahead is on its way, and before all that is told. */
	if (order->is_dead || order->is_recorded)
		order_begin_try(order);
	else
		record_try(order);
}

/* It was reported; only the acknowledgement was missing. */
static void end_reported(struct order *order)
{
	br_autofree char *tries = names_tries(order->id);

	ledger_add(order->options->ledger, order->id);
	order_drop(order);
	order_acknowledge(order);
	order_await(order);
	br_queue_delete(order->options->broker, order->channel, tries,
		order_ignore, order);
	order_finish(order,
		order->has_report ? ORDER_END_REPORTED : ORDER_END_ELSEWHERE);
}

static void on_result(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (order_take(order, ORDER_CHECKING) && !order_refuse(order, reply) &&
		reply->message_count > 0)
		end_reported(order);
}

static void on_agreed(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (order_take(order, ORDER_CHECKING))
		(void)order_refuse(order, reply);
}

/*
 * Ask for all that has to be known, at once: the broker answers in this order, and
 * does none of the rest once it has refused something.
 */
static void ask(struct order *order)
{
	struct br_broker *broker = order->options->broker;

	order->is_returned = false;
	order->is_recorded = false;
	order_confirm_channel(order, order_ignore);
	order_await(order);
	br_exchange_declare(broker, order->channel, NAMES_EVENTS, "topic",
		on_agreed, order);
	order_await(order);
	names_declare_result(
		broker, order->channel, order->id, on_result, order);
	order_await(order);
	names_bind_result(broker, order->channel, order->id, on_agreed, order);
	order_await(order);
	names_declare_tries(broker, order->channel, order->id, on_tries, order);
}

void order_check_again(struct order *order)
{
	order->state = ORDER_CHECKING;
	order->due_ms = -1;
	ask(order);
}

void order_leave(struct order *order)
{
	order_drop(order);
	order->has_report = false;
	order->is_returned = false;
	order->is_contested = true;
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
	order->state = ORDER_CHECKING;
}

static bool start_worker(struct order *order, struct worker *worker)
{
	const struct worker_options options = {
		.job = order->job,
		.build = order->id,
		.name = order->options->name,
		.work_dir = order->options->work_dir,
		.docker_sock = order->options->docker_sock,
		.policy = order->options->policy,
		.cache = order->options->cache,
	};
	struct br_err err = { 0 };

	return worker_start(&options, worker, &err);
}

/* Whether there is nothing to find out for a worker. */
static bool is_known(const struct order *order)
{
	return order->mistake.code != BR_OK || order->is_dead ||
		order->is_cancelled;
}

/* Whether it looks as if nobody else had the job before, or has it. */
static bool is_new(const struct order *order)
{
	return !order->is_redelivered && !order->is_contested &&
		!order_has_build(order);
}

void order_claim(struct order *order)
{
	order->state = ORDER_CLAIMING;
	order->due_ms = -1;
	order_open_channel(order);
	order_await(order);
	names_claim_build(order->options->broker, order->channel, order->id,
		on_claim, order);
	ask(order);
	if (!is_new(order))
		return;
	/* Where the claim is refused, the broker does not take this either. */
	record_try(order);
	order->is_recorded = true;
	if (!is_known(order))
		(void)start_worker(order, &order->ahead);
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

/* Let the worker go that was started ahead, or start one. */
static bool start_build(struct order *order)
{
	if (order->ahead.pid > 0) {
		order->worker = order->ahead;
		order->ahead = (struct worker){ .fd = -1 };
	} else if (!start_worker(order, &order->worker)) {
		return false;
	}
	worker_go(&order->worker, order->attempt);
	return true;
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
		!(is_known(order) ? report(order) : start_build(order))) {
		order_hand_back(order);
		return;
	}
	order_publish(order);
}
