/* SPDX-License-Identifier: MIT */
#include "agent/order.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/names.h"
#include "agent/report.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "checkout/checkout.h"

enum {
	/* Before the claim of a job that another agent has is asked for again. */
	CLAIM_RETRY_MS = 2000,
	/* Tries of a job in all (contract.md). */
	TRIES_MAX = 3,
	READ_BYTES = 64 * 1024,
};

struct order *order_new(const struct order_options *options,
	const struct br_delivery *delivery, const char *queue, unsigned channel)
{
	struct order *order = br_alloc(sizeof(*order));

	*order = (struct order){
		.options = options,
		.channel = channel,
		.delivery_channel = delivery->channel,
		.delivery_tag = delivery->tag,
		.queue = br_strdup(queue),
		.reply_to = br_strdup(delivery->reply_to),
		.correlation_id = br_strdup(delivery->correlation_id),
		.worker = { .fd = -1 },
		.backlog = { .fd = -1 },
		.due_ms = -1,
		.state = ORDER_WAITING,
	};
	br_buf_add(&order->body, delivery->body.data, delivery->body.len);
	if (!job_parse(delivery->body, &order->job, &order->mistake) &&
		br_uuid_is_valid(delivery->message_id))
		/* What is no JSON cannot hold its id. */
		(void)snprintf(order->id, sizeof(order->id), "%s",
			delivery->message_id);
	if (order->job->id)
		(void)snprintf(
			order->id, sizeof(order->id), "%s", order->job->id);
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
	if (order->worker.pid > 0)
		(void)worker_end(&order->worker);
	backlog_close(&order->backlog);
	replies_done(&order->replies);
	job_free(order->job);
	br_buf_done(&order->body);
	free(order->queue);
	free(order->reply_to);
	free(order->correlation_id);
	free(order);
}

/* Every request is counted, so that no answer finds the order gone. */
static void await(struct order *order)
{
	order->pending_count++;
}

/* Take an answer. Gives false where the order has no more use for it. */
static bool take(struct order *order, enum order_state state)
{
	order->pending_count--;
	return order->state == state;
}

static void ignore(void *ctx, const struct br_reply *reply)
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
	await(order);
	br_queue_delete(
		order->options->broker, order->channel, name, ignore, order);
}

static void finish(struct order *order, enum order_end end)
{
	order->state = ORDER_DONE;
	order->due_ms = -1;
	release_claim(order);
	order->options->ended(order->options->ctx, order, end);
}

static void acknowledge(struct order *order)
{
	if (order->delivery_tag == 0)
		return;
	br_delivery_ack(order->options->broker, order->delivery_channel,
		order->delivery_tag);
	order->delivery_tag = 0;
}

static void give_back(struct order *order)
{
	if (order->delivery_tag == 0)
		return;
	br_delivery_reject(order->options->broker, order->delivery_channel,
		order->delivery_tag, true);
	order->delivery_tag = 0;
}

/* Have the channel of the order open. */
static void open_channel(struct order *order)
{
	bool *is_open = &order->options->channels->is_open[order->channel];

	if (*is_open)
		return;
	*is_open = true;
	await(order);
	br_channel_open(order->options->broker, order->channel, ignore, order);
}

/* Have publishes on it confirmed, then call `fn`: at once where they are. */
static void confirm_channel(struct order *order, br_reply_fn *fn)
{
	static const struct br_reply done = { 0 };
	bool *is_confirming =
		&order->options->channels->is_confirming[order->channel];

	await(order);
	if (*is_confirming) {
		fn(order, &done);
		return;
	}
	*is_confirming = true;
	br_channel_confirm(order->options->broker, order->channel, fn, order);
}

/*
 * What the broker refuses where it should not: the job is given back, and whoever
 * takes it next may have more luck.
 */
static bool refuse(struct order *order, const struct br_reply *reply)
{
	if (reply->err.code == BR_OK)
		return false;
	/* A lost connection is told to all orders by itself. */
	if (reply->err.code != BR_EUNAVAIL) {
		give_back(order);
		finish(order, ORDER_END_AGAIN);
	}
	return true;
}

/* Remember what the broker is to confirm. */
static void note_publish(struct order *order, uint64_t tag, int64_t end)
{
	size_t at = (order->window_first + order->window_count) % ORDER_WINDOW;

	order->window[at] = (struct order_publish){ .tag = tag, .end = end };
	order->window_count++;
}

/* Moving: with an id, and to the queue of its labels. */

static bool is_own_queue(const struct order *order, const char *target)
{
	return strcmp(order->queue, target) == 0;
}

static void publish_copy(struct order *order, const char *target)
{
	br_autobuf struct br_buf body = { 0 };
	struct br_err err = { 0 };
	char id[BR_UUID_TEXT_BYTES];

	(void)snprintf(id, sizeof(id), "%s", order->id);
	if (id[0] == '\0' && !br_uuid_make(id, &err)) {
		give_back(order);
		finish(order, ORDER_END_AGAIN);
		return;
	}
	/* What cannot be read goes back as it is, with the id beside it. */
	if (order->job->tree)
		job_format(order->job, id, &body);
	else
		br_buf_add(&body, order->body.data, order->body.len);

	const struct br_message message = {
		.exchange = "",
		.routing_key = target,
		.body = br_buf_str(&body),
		.is_persistent = true,
		.is_mandatory = true,
		.reply_to = order->reply_to,
		.correlation_id = order->correlation_id,
		.message_id = id,
	};
	note_publish(order,
		br_message_publish(
			order->options->broker, order->channel, &message),
		-1);
}

static void on_target(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;
	br_autofree char *target = NULL;

	if (!take(order, ORDER_MOVING) || refuse(order, reply))
		return;
	target = names_job_queue(order->options->queue, &order->job->labels);
	publish_copy(order, target);
}

static void on_move_channel(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!take(order, ORDER_MOVING) || refuse(order, reply))
		return;

	br_autofree char *target =
		names_job_queue(order->options->queue, &order->job->labels);
	if (is_own_queue(order, target)) {
		publish_copy(order, target);
		return;
	}
	await(order);
	names_declare_job_queue(order->options->broker, order->channel,
		order->options->queue, target, on_target, order);
}

static void move(struct order *order)
{
	order->state = ORDER_MOVING;
	open_channel(order);
	confirm_channel(order, on_move_channel);
}

/* Working. */

static void work_on(struct order *order);

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

	note_publish(order,
		br_message_publish(
			order->options->broker, order->channel, &message),
		-1);
}

static void on_tries(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!take(order, ORDER_CHECKING) || refuse(order, reply))
		return;
	order->attempt = (uint32_t)reply->message_count + 1;
	if (order->attempt <= TRIES_MAX) {
		record_try(order);
		return;
	}
	order->is_dead = true;
	work_on(order);
}

static void on_bound(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!take(order, ORDER_CHECKING) || refuse(order, reply))
		return;

	br_autofree char *tries = names_tries(order->id);
	const struct br_queue_spec spec = {
		.name = tries,
		.is_durable = true,
		.expires_ms = NAMES_KEPT_MS,
	};
	await(order);
	br_queue_declare(
		order->options->broker, order->channel, &spec, on_tries, order);
}

static void on_result(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!take(order, ORDER_CHECKING) || refuse(order, reply))
		return;
	if (reply->message_count > 0) {
		/* It was reported; only the acknowledgement was missing. */
		acknowledge(order);
		finish(order, ORDER_END_ELSEWHERE);
		return;
	}

	await(order);
	names_bind_result(order->options->broker, order->channel, order->id,
		on_bound, order);
}

static void check(struct order *order)
{
	order->state = ORDER_CHECKING;
	await(order);
	names_declare_result(order->options->broker, order->channel, order->id,
		on_result, order);
}

static void on_confirming(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!take(order, ORDER_CLAIMING) || refuse(order, reply))
		return;
	/* One that came back from a lost connection goes on where it was. */
	if (order->worker.pid > 0 || order->has_worker_ended) {
		order->state = ORDER_WORKING;
		order_publish(order);
		return;
	}
	check(order);
}

/* A result came, or another works on it: ours is not wanted any more. */
static void drop(struct order *order)
{
	if (order->worker.pid > 0)
		(void)worker_end(&order->worker);
	backlog_close(&order->backlog);
	order->has_worker_ended = false;
}

static void on_claim(void *ctx, const struct br_reply *reply)
{
	enum { RESOURCE_LOCKED = 405 };
	struct order *order = ctx;

	if (!take(order, ORDER_CLAIMING))
		return;
	if (reply->code == RESOURCE_LOCKED) {
		drop(order);
		order->state = ORDER_CLAIMED_ELSEWHERE;
		order->due_ms = br_clock_now_ms() + CLAIM_RETRY_MS;
		/* Whoever delivered it to us may do so again. */
		if (order->delivery_tag == 0)
			finish(order, ORDER_END_ELSEWHERE);
		return;
	}
	if (refuse(order, reply))
		return;
	order->has_claim = true;
	confirm_channel(order, on_confirming);
}

static void claim(struct order *order)
{
	order->state = ORDER_CLAIMING;
	order->due_ms = -1;
	await(order);
	names_claim_build(order->options->broker, order->channel, order->id,
		on_claim, order);
}

void order_begin(struct order *order)
{
	br_autofree char *target =
		names_job_queue(order->options->queue, &order->job->labels);

	/* A bad job is reported wherever it is. */
	if (order->id[0] == '\0' ||
		(order->mistake.code == BR_OK &&
			!is_own_queue(order, target))) {
		move(order);
		return;
	}
	open_channel(order);
	claim(order);
}

static void start_worker(struct order *order)
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

	if (!worker_start(&options, &order->worker, &err)) {
		give_back(order);
		finish(order, ORDER_END_AGAIN);
	}
}

static void work_on(struct order *order)
{
	struct br_err err = { 0 };
	struct report report = {
		.build = order->id,
		.attempt = order->attempt,
		.name = order->options->name,
		.text = order->mistake.text,
	};

	order->state = ORDER_WORKING;
	if (!backlog_open(order->options->work_dir, &order->backlog, &err)) {
		give_back(order);
		finish(order, ORDER_END_AGAIN);
		return;
	}
	if (order->mistake.code == BR_OK && !order->is_dead &&
		!order->is_cancelled) {
		start_worker(order);
		return;
	}
	if (order->is_cancelled) {
		report.text = "cancelled before it began";
		report.is_cancelled = true;
	} else if (order->is_dead) {
		report.text =
			"the job was tried three times, and each time its "
			"agent or engine failed";
		report.is_tries = true;
	}
	order->has_worker_ended = true;
	order->worker_status = WORKER_DONE;
	if (!report_error(&report, &order->backlog, &err)) {
		give_back(order);
		finish(order, ORDER_END_AGAIN);
		return;
	}
	order_publish(order);
}

/* Publishing what the worker tells. */

static bool is_last_event(struct br_str line)
{
	static const char last[] = "\"type\":\"build.finished\"";

	return report_has_type(line, last);
}

/* Whether the line may be told: the last one only where it is a result. */
static bool may_tell(struct order *order, struct br_str line, int64_t end)
{
	if (!is_last_event(line))
		return true;
	if (!order->has_worker_ended)
		return false;
	if (order->worker_status == WORKER_DONE)
		return true;
	backlog_take(&order->backlog, end);
	if (order->window_count == 0)
		backlog_confirm(&order->backlog, end);
	return false;
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

		note_publish(order,
			br_message_publish(order->options->broker,
				order->channel, &message),
			-1);
		at += len + 1;
	}
}

static void publish_line(struct order *order, struct br_str line, int64_t end)
{
	br_autofree char *key = report_routing_key(order->id, line);
	bool is_last = is_last_event(line);

	/* The reply goes first: the event is what frees the line. */
	publish_replies(order, line);
	const struct br_message message = {
		.exchange = NAMES_EVENTS,
		.routing_key = key,
		.body = line,
		.is_persistent = is_last,
		.is_mandatory = is_last,
	};
	note_publish(order,
		br_message_publish(
			order->options->broker, order->channel, &message),
		end);
}

static void bury(struct order *order)
{
	br_autofree char *dead = names_dead(order->options->queue);
	const struct br_message message = {
		.exchange = "",
		.routing_key = dead,
		.body = br_buf_str(&order->body),
		.is_persistent = true,
		.is_mandatory = true,
	};

	order->is_buried = true;
	note_publish(order,
		br_message_publish(
			order->options->broker, order->channel, &message),
		-1);
}

/* The report is the broker's: the job is done. */
static void settle(struct order *order)
{
	br_autofree char *tries = names_tries(order->id);
	enum order_end end = ORDER_END_REPORTED;

	if (order->worker_status == WORKER_DONE) {
		acknowledge(order);
		await(order);
		br_queue_delete(order->options->broker, order->channel, tries,
			ignore, order);
	} else {
		end = ORDER_END_AGAIN;
		give_back(order);
	}
	finish(order, end);
}

void order_publish(struct order *order)
{
	enum { SPARE = 8 };
	struct br_err err = { 0 };
	struct br_str line;
	int64_t end = 0;

	if (order->state != ORDER_WORKING)
		return;
	while (order->window_count + SPARE < ORDER_WINDOW &&
		backlog_peek(&order->backlog, &line, &end, &err) &&
		br_broker_can_publish(order->options->broker, line.len) &&
		may_tell(order, line, end)) {
		publish_line(order, line, end);
		backlog_take(&order->backlog, end);
	}
	if (err.code != BR_OK) {
		drop(order);
		order->has_worker_ended = true;
		order->worker_status = WORKER_AGAIN;
		settle(order);
		return;
	}
	if (!order->has_worker_ended || order->window_count > 0 ||
		!backlog_is_done(&order->backlog))
		return;
	if (order->is_dead && !order->is_own && !order->is_buried)
		bury(order);
	else
		settle(order);
}

/* All that was published is told again: the broker did not take some of it. */
static void publish_again(struct order *order)
{
	order->window_count = 0;
	backlog_rewind(&order->backlog);
	order_publish(order);
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
	}
}

void order_confirmed(
	struct order *order, uint64_t tag, bool is_multiple, bool is_accepted)
{
	if (order->state != ORDER_MOVING && order->state != ORDER_CHECKING &&
		order->state != ORDER_WORKING)
		return;
	if (!is_accepted && order->state == ORDER_WORKING) {
		publish_again(order);
		return;
	}
	mark_confirmed(order, tag, is_multiple);
	take_confirmed(order);
	if (order->window_count > 0)
		return;
	if (order->state == ORDER_MOVING) {
		acknowledge(order);
		finish(order, ORDER_END_MOVED);
	} else if (order->state == ORDER_CHECKING) {
		work_on(order);
	} else {
		order_publish(order);
	}
}

/* Read what the worker tells, and take note of its end. */
static void read_worker(struct order *order)
{
	char data[READ_BYTES];
	struct br_err err = { 0 };
	ssize_t n = 0;

	while (!backlog_is_full(&order->backlog) &&
		(n = read(order->worker.fd, data, sizeof(data))) > 0)
		if (!backlog_add(&order->backlog, data, (size_t)n, &err)) {
			n = 0;
			break;
		}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (backlog_is_full(&order->backlog))
		return;
	order->worker_status = worker_end(&order->worker);
	if (err.code != BR_OK)
		order->worker_status = WORKER_AGAIN;
	order->has_worker_ended = true;
}

void order_work(struct order *order)
{
	if (order->worker.fd >= 0)
		read_worker(order);
	if (order->state == ORDER_CLAIMED_ELSEWHERE && order->due_ms >= 0 &&
		order->due_ms <= br_clock_now_ms())
		claim(order);
	order_publish(order);
}

void order_cast_off(struct order *order)
{
	if (order->state == ORDER_DONE)
		return;
	order->delivery_tag = 0;
	order->window_count = 0;
	order->window_first = 0;
	order->is_buried = false;
	order->has_claim = false;
	order->due_ms = -1;
	if (order->state == ORDER_WORKING || order->worker.pid > 0 ||
		order->has_worker_ended) {
		backlog_rewind(&order->backlog);
		order->state = ORDER_ADRIFT;
	} else if (order->is_own) {
		/* No broker delivers it again: it begins anew. */
		order->state = ORDER_WAITING;
	} else {
		order->state = ORDER_DONE;
	}
}

void order_return(struct order *order)
{
	open_channel(order);
	claim(order);
}

/* What it confirmed no more is told again; a claim stays, it is the connection's. */
void order_channel_closed(struct order *order)
{
	order->options->channels->is_confirming[order->channel] = false;
	if (order->state != ORDER_WORKING)
		return;
	order->window_count = 0;
	backlog_rewind(&order->backlog);
	order->state = ORDER_CLAIMING;
	confirm_channel(order, on_confirming);
}

void order_adopt(struct order *order, const struct br_delivery *delivery)
{
	order->delivery_channel = delivery->channel;
	order->delivery_tag = delivery->tag;
}

void order_cancel(struct order *order)
{
	bool is_ours = order->state == ORDER_CLAIMING ||
		order->state == ORDER_CHECKING || order->state == ORDER_WORKING;

	/* A second one would not let it clean up. */
	if (!is_ours || order->is_cancelled)
		return;
	order->is_cancelled = true;
	worker_stop(&order->worker, SIGINT);
}
