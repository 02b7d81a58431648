/* SPDX-License-Identifier: MIT */
/* What a worker says, on its way to the broker: in order, and without a gap. */
#include <string.h>

#include "agent/names.h"
#include "agent/order_private.h"
#include "agent/report.h"
#include "base/alloc.h"
#include "base/clean.h"

/* In a row, with nothing taken in between. */
enum { SETBACKS_MAX = 10 };

void order_send(
	struct order *order, const struct br_message *message, int64_t end)
{
	size_t at = (order->window_first + order->window_count) % ORDER_WINDOW;
	uint64_t tag = br_message_publish(
		order->options->broker, order->channel, message);

	order->window[at] = (struct order_publish){
		.tag = tag,
		.end = end,
		.is_needed = message->is_mandatory,
	};
	order->window_count++;
}

void order_forget(struct order *order)
{
	order->window_count = 0;
	order->window_first = 0;
	order->is_returned = false;
	order->is_buried = false;
	backlog_rewind(&order->backlog);
}

static bool is_last_event(struct br_str line)
{
	static const char last[] = "\"type\":\"build.finished\"";

	return report_has_type(line, last);
}

/* The last event of a try that failed is not told: it goes with what was before it. */
static void skip_line(struct order *order, int64_t end)
{
	size_t newest =
		(order->window_first + order->window_count - 1) % ORDER_WINDOW;

	backlog_take(&order->backlog, end);
	if (order->window_count > 0)
		order->window[newest].end = end;
	else
		backlog_confirm(&order->backlog, end);
}

static bool is_result(const struct order *order)
{
	return order->has_worker_ended && order->worker_status == WORKER_DONE;
}

static void publish_replies(struct order *order, struct br_str line)
{
	br_autobuf struct br_buf texts = { 0 };

	if (order->reply_to[0] == '\0')
		return;
	replies_make(&order->replies, line, &texts);
	for (size_t at = 0; at < texts.len;) {
		size_t len = strcspn(texts.data + at, "\n");
		const struct br_message message = {
			.exchange = "",
			.routing_key = order->reply_to,
			.body = { .data = texts.data + at, .len = len },
			.correlation_id = order->correlation_id,
		};

		order_send(order, &message, -1);
		at += len + 1;
	}
}

static void publish_line(struct order *order, struct br_str line, int64_t end)
{
	br_autofree char *key = report_routing_key(order->id, line);
	bool is_last = is_last_event(line);

	order->event_count++;
	if (is_last)
		report_read_end(line, &order->result, &order->seconds);
	/* The reply goes first: the event is what frees the line. */
	publish_replies(order, line);
	const struct br_message message = {
		.exchange = NAMES_EVENTS,
		.routing_key = key,
		.body = line,
		.is_persistent = is_last,
		.is_mandatory = is_last,
	};
	order_send(order, &message, end);
	order->has_report = order->has_report || is_last;
}

static void publish_lines(struct order *order, struct br_err *err)
{
	enum { SPARE = 8 };
	struct br_str line;
	int64_t end = 0;

	while (order->window_count + SPARE < ORDER_WINDOW &&
		backlog_peek(&order->backlog, &line, &end, err) &&
		br_broker_can_publish(order->options->broker, line.len)) {
		bool is_last = is_last_event(line);

		/* Whether it is a result is known when the worker has ended. */
		if (is_last && !order->has_worker_ended)
			return;
		if (is_last && !is_result(order)) {
			skip_line(order, end);
			continue;
		}
		publish_line(order, line, end);
		backlog_take(&order->backlog, end);
	}
}

/*
 * The job goes to the dead ones before that is told: there twice is better than not. Its
 * body is as it came; why it is there is said beside it.
 */
static void bury(struct order *order)
{
	br_autofree char *dead = names_dead(order->options->queue);
	br_autofree char *tries = br_format("%u", order->attempt - 1);
	const struct br_queue_spec spec = { .name = dead, .is_durable = true };
	const struct br_header headers[] = {
		{ "x-buildr-reason", "tries" },
		{ "x-buildr-text", order_explain(order) },
		{ "x-buildr-build", order->id },
		{ "x-buildr-tries", tries },
		{ "x-buildr-queue", order->queue },
		{ "x-buildr-agent", order->options->name },
	};
	const struct br_message message = {
		.exchange = "",
		.routing_key = dead,
		.body = br_buf_str(&order->body),
		.is_persistent = true,
		.is_mandatory = true,
		.reply_to = order->reply_to,
		.correlation_id = order->correlation_id,
		.message_id = order->id,
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(headers[0]),
	};

	if (!order->has_grave) {
		/* One that is there otherwise closes the channel: then it is there. */
		order->has_grave = true;
		order_await(order);
		br_queue_declare(order->options->broker, order->channel, &spec,
			order_ignore, order);
	}
	order->is_buried = true;
	order_send(order, &message, -1);
}

/* The report is the broker's: the job is done. */
static void settle(struct order *order)
{
	br_autofree char *tries = names_tries(order->id);

	if (!is_result(order) || !order->has_report) {
		order_hand_back(order);
		return;
	}
	ledger_add(order->options->ledger, order->id);
	order_acknowledge(order);
	order_await(order);
	br_queue_delete(order->options->broker, order->channel, tries,
		order_ignore, order);
	order_finish(order, ORDER_END_REPORTED);
}

void order_publish(struct order *order)
{
	struct br_err err = { 0 };

	if (order->state != ORDER_WORKING)
		return;
	if (order->is_dead && !order->is_own && !order->is_buried)
		bury(order);
	publish_lines(order, &err);
	if (err.code != BR_OK)
		order_hand_back(order);
	else if (order->has_worker_ended && order->window_count == 0 &&
		backlog_is_done(&order->backlog))
		settle(order);
}

/* The broker did not take something: look where we are, and tell it again. */
static void retell(struct order *order)
{
	order_forget(order);
	if (++order->setback_count > SETBACKS_MAX)
		order_hand_back(order);
	else if (order->state == ORDER_MOVING)
		order_move(order);
	else
		order_check_again(order);
}

static bool has_publishes(const struct order *order)
{
	return order->state == ORDER_WORKING || order->window_count > 0 ||
		order->state == ORDER_MOVING;
}

void order_channel_closed(struct order *order)
{
	/* Whoever waits for an answer has got one. The claim is the connection's. */
	if (order->pending_count == 0 && order->state != ORDER_DONE &&
		order->state != ORDER_ADRIFT && has_publishes(order))
		retell(order);
}

/* Find a publish that waits. */
static bool is_waiting(
	const struct order *order, uint64_t tag, bool is_multiple)
{
	for (size_t i = 0; i < order->window_count; i++) {
		uint64_t other =
			order->window[(order->window_first + i) % ORDER_WINDOW]
				.tag;

		if (other == tag || (is_multiple && other < tag))
			return true;
	}
	return false;
}

/*
 * Whether one of those that a queue has refused has to be there. A queue that is full
 * and refuses an event is a subscriber's: it has a gap then, as it wants, and all others
 * have the event.
 */
static bool is_needed(const struct order *order, uint64_t tag, bool is_multiple)
{
	for (size_t i = 0; i < order->window_count; i++) {
		const struct order_publish *publish =
			&order->window[(order->window_first + i) %
				ORDER_WINDOW];

		if (publish->is_needed &&
			(publish->tag == tag ||
				(is_multiple && publish->tag < tag)))
			return true;
	}
	return false;
}

static void mark_confirmed(struct order *order, uint64_t tag, bool is_multiple)
{
	for (size_t i = 0; i < order->window_count; i++) {
		struct order_publish *publish =
			&order->window[(order->window_first + i) %
				ORDER_WINDOW];

		if (publish->tag == tag || (is_multiple && publish->tag < tag))
			publish->is_confirmed = true;
	}
}

/* In the order of the backlog, whatever the order of the broker. */
static void take_confirmed(struct order *order)
{
	while (order->window_count > 0) {
		const struct order_publish *first =
			&order->window[order->window_first];

		if (!first->is_confirmed)
			return;
		if (first->end >= 0)
			backlog_confirm(&order->backlog, first->end);
		order->window_first = (order->window_first + 1) % ORDER_WINDOW;
		order->window_count--;
		order->setback_count = 0;
	}
}

static void go_on(struct order *order)
{
	if (order->state == ORDER_MOVING)
		order_moved(order);
	else if (order->state == ORDER_CHECKING)
		order_begin_try(order);
}

void order_confirmed(
	struct order *order, uint64_t tag, bool is_multiple, bool is_accepted)
{
	/* It may be about what an order before us published. */
	if (order->state == ORDER_DONE || order->state == ORDER_ADRIFT ||
		!is_waiting(order, tag, is_multiple))
		return;
	if (!is_accepted && order->state == ORDER_MOVING) {
		/* Full, it seems: no fault of anybody's. */
		order_leave(order);
		return;
	}
	if ((!is_accepted && is_needed(order, tag, is_multiple)) ||
		(order->is_returned && order->state == ORDER_WORKING)) {
		retell(order);
		return;
	}
	mark_confirmed(order, tag, is_multiple);
	take_confirmed(order);
	if (order->state == ORDER_WORKING)
		order_publish(order);
	else if (order->window_count == 0)
		go_on(order);
}

void order_returned(struct order *order)
{
	order->is_returned = order->window_count > 0;
}
