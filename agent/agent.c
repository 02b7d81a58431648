/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/control.h"
#include "agent/diary.h"
#include "agent/listener.h"
#include "agent/names.h"
#include "agent/operations.h"
#include "agent/order.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "checkout/checkout.h"

enum {
	CHANNEL_JOBS = 1,
	/* For what may be refused: a queue that is not there, or otherwise. */
	CHANNEL_LOOK = 2,
	/* For what was reported before the connection was lost. */
	CHANNEL_LEDGER = 3,
	/* For what is said to all agents. */
	CHANNEL_CONTROL = 4,
	/* The first of the orders' own. */
	CHANNEL_ORDERS = 5,
	HEARTBEAT_SECONDS = 10,
	CONNECT_TIMEOUT_MS = 5000,
	/* Between two attempts to connect; doubled until the last. */
	RETRY_FIRST_MS = 500,
	RETRY_LAST_MS = 30 * 1000,
	/* After the broker has refused to let it listen. */
	LISTEN_RETRY_MS = 5000,
	/* After a failure of its own, so that others get the job. */
	REST_MS = 2000,
	/* For builds to clean up; less than the broker waits for a heartbeat. */
	STOP_MS = 10 * 1000,
	/* Jobs for all agents that one may have: nothing else bounds them. */
	OWN_MAX = 256,
	/* Begun anew: more often than it has tries, where the broker refuses them. */
	AGAIN_MAX = 4,
};

struct agent {
	const struct agent_options *options;
	struct br_broker *broker;
	struct listener listener;
	struct order_options order_options;
	/* In no order; `capacity` also bounds the channels. */
	struct order **orders;
	size_t order_count;
	size_t order_capacity;
	struct order_channels channels;
	struct ledger ledger;
	/* Queues that are consumed, by the number of their consumer. */
	char **queues;
	size_t queue_count;
	int signal_fd;
	/* When to connect again, or to begin to take jobs; -1: not. */
	int64_t connect_ms;
	int64_t rest_ms;
	/* When to listen to the control exchange again. */
	int64_t listen_ms;
	int64_t retry_ms;
	bool is_consuming;
	/* How often it has begun to take jobs: what is answered late is known by it. */
	unsigned consume_count;
	struct operations operations;
	const struct agent_reload *reload;
	/* 0: goes on; 1: takes no more; 2: leaves. */
	unsigned stop_count;
};

static void ignore(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	(void)reply;
}

static size_t count_working(const struct agent *agent)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->order_count; i++)
		count += agent->orders[i]->state != ORDER_WAITING &&
			agent->orders[i]->state != ORDER_DONE &&
			agent->orders[i]->state != ORDER_CLAIMED_ELSEWHERE;
	return count;
}

/*
 * Whether another order is at the same job: a job that is queued twice is reported
 * once, and the claim is the connection's, not an order's.
 */
static bool is_in_hands(const struct agent *agent, const struct order *order)
{
	for (size_t i = 0; i < agent->order_count; i++) {
		const struct order *other = agent->orders[i];
		bool is_gone =
			other->state == ORDER_DONE && other->pending_count == 0;

		if (other != order && !is_gone &&
			other->state != ORDER_WAITING &&
			other->state != ORDER_CLAIMED_ELSEWHERE &&
			order->id[0] != '\0' &&
			strcmp(other->id, order->id) == 0)
			return true;
	}
	return false;
}

/* What nobody else will do is still done by an agent that takes no more jobs. */
static bool may_begin(const struct agent *agent, const struct order *order)
{
	return order->state == ORDER_WAITING &&
		(agent->stop_count == 0 ||
			(order->is_own && agent->stop_count == 1));
}

/* Begin what waits, as far as jobs are free. */
static void begin_waiting(struct agent *agent)
{
	for (size_t i = 0; agent->broker && i < agent->order_count; i++)
		if (may_begin(agent, agent->orders[i]) &&
			!is_in_hands(agent, agent->orders[i]) &&
			(agent->orders[i]->is_own ||
				health_may_begin(&agent->operations.health)) &&
			count_working(agent) < agent->options->jobs)
			order_begin(agent->orders[i]);
}

/* A consumer is called after its queue, and never again as one was before. */
enum { CONSUMER_BYTES = 48 };

static void name_consumer(
	const struct agent *agent, size_t index, char name[CONSUMER_BYTES])
{
	(void)snprintf(
		name, CONSUMER_BYTES, "%u.%zu", agent->consume_count, index);
}

static void stop_consuming(struct agent *agent)
{
	char name[CONSUMER_BYTES];

	if (!agent->broker || !agent->is_consuming)
		return;
	agent->is_consuming = false;
	for (size_t i = 0; i < agent->queue_count; i++) {
		name_consumer(agent, i, name);
		br_queue_cancel(
			agent->broker, CHANNEL_JOBS, name, ignore, NULL);
	}
}

static void order_ended(void *ctx, struct order *order, enum order_end end)
{
	struct agent *agent = ctx;

	diary(agent->options->log, "job", "build", order->id, "end",
		end == ORDER_END_REPORTED            ? "reported"
			: end == ORDER_END_ELSEWHERE ? "elsewhere"
			: end == ORDER_END_MOVED     ? "moved"
						     : "given back",
		NULL);
	operations_count(&agent->operations, order, end);
	if (end != ORDER_END_AGAIN)
		return;
	order->is_again = order->is_own && order->again_count < AGAIN_MAX;
	stop_consuming(agent);
	agent->rest_ms = br_clock_now_ms() + REST_MS;
}

static bool is_channel_taken(const struct agent *agent, unsigned channel)
{
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			return true;
	return false;
}

static unsigned free_channel(const struct agent *agent)
{
	unsigned channel = CHANNEL_ORDERS;

	while (is_channel_taken(agent, channel))
		channel++;
	return channel;
}

/* Each order has a channel. */
static bool has_room(const struct agent *agent)
{
	return agent->order_count + CHANNEL_ORDERS < ORDER_CHANNELS;
}

static void add_order(struct agent *agent, struct order *order)
{
	agent->orders = br_grow(agent->orders, agent->order_count,
		&agent->order_capacity, sizeof(struct order *));
	agent->orders[agent->order_count++] = order;
	begin_waiting(agent);
}

static size_t count_own(const struct agent *agent)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->order_count; i++)
		count += agent->orders[i]->is_own;
	return count;
}

/* A job for every agent. */
static void take_own(struct agent *agent, const struct br_delivery *delivery)
{
	struct order *order = NULL;

	if (agent->stop_count > 0 || count_own(agent) >= OWN_MAX ||
		!has_room(agent))
		return;
	order = listener_make_order(
		&agent->order_options, delivery, free_channel(agent));
	if (!order)
		return;
	diary(agent->options->log, "job for all", "build", order->id, NULL);
	listener_answer(&agent->listener, order, delivery);
	add_order(agent, order);
}

static void take_cancel(struct agent *agent, const struct br_delivery *delivery)
{
	char build[BR_UUID_TEXT_BYTES];
	struct br_err err = { 0 };

	if (!control_parse_cancel(delivery->body, build, &err)) {
		diary(agent->options->log, "bad cancel", "why", err.text, NULL);
		return;
	}
	for (size_t i = 0; i < agent->order_count; i++)
		if (strcmp(agent->orders[i]->id, build) == 0)
			order_cancel(agent->orders[i]);
}

static void take_control(
	struct agent *agent, const struct br_delivery *delivery)
{
	if (strcmp(delivery->routing_key, CONTROL_CANCEL) == 0)
		take_cancel(agent, delivery);
	else if (strcmp(delivery->routing_key, CONTROL_JOB) == 0)
		take_own(agent, delivery);
	br_delivery_ack(agent->broker, delivery->channel, delivery->tag);
}

/* The routing key of a job is its queue's name: it came by the default exchange. */
static void take_delivery(void *ctx, const struct br_delivery *delivery)
{
	struct agent *agent = ctx;
	struct order *made = NULL;

	if (delivery->channel == CHANNEL_CONTROL) {
		take_control(agent, delivery);
		return;
	}
	/* Six labels make 64 queues, each with as many as may run. */
	if (!has_room(agent)) {
		br_delivery_reject(
			agent->broker, delivery->channel, delivery->tag, true);
		return;
	}
	made = order_new(&agent->order_options, delivery, delivery->routing_key,
		free_channel(agent));
	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];

		if (made->id[0] != '\0' && order->state != ORDER_DONE &&
			order->delivery_tag == 0 &&
			strcmp(order->id, made->id) == 0) {
			order_adopt(order, delivery);
			order_free(made);
			return;
		}
	}
	add_order(agent, made);
}

static void take_confirm(void *ctx, unsigned channel, uint64_t tag,
	bool is_multiple, bool is_accepted)
{
	struct agent *agent = ctx;

	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			order_confirmed(agent->orders[i], tag, is_multiple,
				is_accepted);
}

static void take_return(void *ctx, unsigned channel, const char *routing_key)
{
	struct agent *agent = ctx;

	(void)routing_key;
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			order_returned(agent->orders[i]);
}

static void lose_broker(void *ctx, const struct br_err *why)
{
	struct agent *agent = ctx;

	diary(agent->options->log, "broker lost", "why", why->text, NULL);
	agent->channels = (struct order_channels){ 0 };
	for (size_t i = 0; i < agent->order_count; i++)
		order_cast_off(agent->orders[i]);
	agent->is_consuming = false;
	agent->rest_ms = -1;
	agent->listen_ms = -1;
	agent->connect_ms = br_clock_now_ms() + RETRY_FIRST_MS;
	agent->retry_ms = RETRY_FIRST_MS;
}

static void consume_again(void *ctx, unsigned channel)
{
	struct agent *agent = ctx;

	if (channel == CHANNEL_CONTROL) {
		agent->listen_ms = br_clock_now_ms() + LISTEN_RETRY_MS;
		return;
	}
	/* The queue was deleted: it is made anew with the next look at all. */
	stop_consuming(agent);
	agent->rest_ms = br_clock_now_ms() + RETRY_FIRST_MS;
}

static void channel_closed(
	void *ctx, unsigned channel, const struct br_reply *why)
{
	struct agent *agent = ctx;

	if (channel >= CHANNEL_ORDERS && channel < ORDER_CHANNELS)
		agent->channels.is_confirming[channel] = false;
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			order_channel_closed(agent->orders[i]);
	if (channel != CHANNEL_JOBS && channel != CHANNEL_CONTROL)
		return;
	diary(agent->options->log, "channel closed", "why", why->err.text,
		NULL);
	if (channel == CHANNEL_CONTROL) {
		consume_again(agent, channel);
		return;
	}
	for (size_t i = 0; i < agent->order_count; i++)
		order_delivery_lost(agent->orders[i]);
	agent->is_consuming = false;
	consume_again(agent, channel);
}

static void on_consuming(void *ctx, const struct br_reply *reply)
{
	struct agent *agent = ctx;

	if (reply->err.code != BR_OK)
		diary(agent->options->log, "no jobs", "why", reply->err.text,
			NULL);
	else
		agent->retry_ms = RETRY_FIRST_MS;
}

struct consumer {
	struct agent *agent;
	size_t index;
	/* Of the agent, when this was begun. */
	unsigned consume_count;
};

static bool is_wanted(const struct consumer *consumer)
{
	const struct agent *agent = consumer->agent;

	return agent->broker && agent->is_consuming &&
		agent->consume_count == consumer->consume_count;
}

static void consume(struct agent *agent, size_t index)
{
	char name[CONSUMER_BYTES];

	name_consumer(agent, index, name);
	br_queue_consume(agent->broker, CHANNEL_JOBS, agent->queues[index],
		name, on_consuming, agent);
}

static void on_declared(void *ctx, const struct br_reply *reply)
{
	struct consumer *consumer = ctx;
	struct agent *agent = consumer->agent;

	/* 406: it is there in another form, which is as good. */
	if (is_wanted(consumer) && reply->err.code != BR_EUNAVAIL)
		consume(agent, consumer->index);
	free(consumer);
}

static void on_looked_for(void *ctx, const struct br_reply *reply)
{
	struct consumer *consumer = ctx;
	struct agent *agent = consumer->agent;

	if (reply->err.code == BR_OK && is_wanted(consumer)) {
		consume(agent, consumer->index);
		free(consumer);
	} else if (reply->err.code == BR_ENOTFOUND && is_wanted(consumer)) {
		names_declare_job_queue(agent->broker, CHANNEL_LOOK,
			agent->options->queue, agent->queues[consumer->index],
			on_declared, consumer);
	} else {
		free(consumer);
	}
}

/* Take jobs from every queue: one that is there is taken as it is. */
static void start_consuming(struct agent *agent)
{
	agent->is_consuming = true;
	agent->consume_count++;
	agent->rest_ms = -1;
	br_channel_prefetch(agent->broker, CHANNEL_JOBS,
		(uint16_t)agent->options->jobs, ignore, NULL);
	for (size_t i = 0; i < agent->queue_count; i++) {
		struct consumer *consumer = br_alloc(sizeof(*consumer));
		const struct br_queue_spec spec = {
			.name = agent->queues[i],
			.is_passive = true,
		};

		*consumer = (struct consumer){
			.agent = agent,
			.index = i,
			.consume_count = agent->consume_count,
		};
		br_queue_declare(agent->broker, CHANNEL_LOOK, &spec,
			on_looked_for, consumer);
	}
}

/* Half of it and more, so that not all agents come at once. */
static int64_t jitter(int64_t ms)
{
	return ms / 2 + (int64_t)(random() % (long)(ms / 2 + 1));
}

static int64_t next_retry_ms(const struct agent *agent)
{
	int64_t last_ms = ledger_is_fresh(&agent->ledger) ? LEDGER_RETRY_MS
							  : RETRY_LAST_MS;

	return agent->retry_ms * 2 > last_ms ? last_ms : agent->retry_ms * 2;
}

static bool connect_broker(struct agent *agent)
{
	const struct agent_options *options = agent->options;
	const struct br_broker_options where = {
		.url = options->broker,
		.ca_file = options->ca_file,
		.cert_file = options->cert_file,
		.key_file = options->key_file,
		.name = options->name,
		.heartbeat_seconds = HEARTBEAT_SECONDS,
		.timeout_ms = CONNECT_TIMEOUT_MS,
	};
	const struct br_broker_handlers handlers = {
		.ctx = agent,
		.closed = lose_broker,
		.delivered = take_delivery,
		.confirmed = take_confirm,
		.returned = take_return,
		.cancelled = consume_again,
		.channel_closed = channel_closed,
	};
	struct br_err err = { 0 };

	agent->connect_ms = -1;
	if (!br_broker_open(&where, &handlers, &agent->broker, &err)) {
		diary(agent->options->log, "no broker", "why", err.text, NULL);
		agent->connect_ms = br_clock_now_ms() + jitter(agent->retry_ms);
		agent->retry_ms = next_retry_ms(agent);
		return err.code != BR_EINPUT;
	}
	diary(agent->options->log, "connected", "broker",
		br_broker_show(agent->broker), "version",
		br_broker_version(agent->broker), NULL);
	agent->order_options.broker = agent->broker;
	br_channel_open(agent->broker, CHANNEL_JOBS, ignore, NULL);
	br_channel_open(agent->broker, CHANNEL_LOOK, ignore, NULL);
	br_channel_open(agent->broker, CHANNEL_LEDGER, ignore, NULL);
	ledger_repeat(&agent->ledger, agent->broker, CHANNEL_LEDGER);
	br_exchange_declare(agent->broker, CHANNEL_JOBS, NAMES_EVENTS, "topic",
		ignore, NULL);
	agent->listener.broker = agent->broker;
	br_channel_open(agent->broker, CHANNEL_CONTROL, ignore, NULL);
	listener_start(&agent->listener);
	/* What is still ours is claimed before anything new is taken. */
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->state == ORDER_ADRIFT)
			order_return(agent->orders[i]);
	if (agent->rest_ms < 0)
		agent->rest_ms = 0;
	return true;
}

/* Not before nothing is asked for any more: the claim is gone for certain then. */
static void begin_again(struct agent *agent)
{
	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];

		if (!order->is_again || order->state != ORDER_DONE ||
			order->pending_count > 0)
			continue;
		agent->orders[i] = listener_again(order);
		order_free(order);
	}
}

/* Forget orders that are done and that nothing asks for any more. */
static void drop_done(struct agent *agent)
{
	size_t kept = 0;

	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];

		if (order->state == ORDER_DONE && order->pending_count == 0)
			order_free(order);
		else
			agent->orders[kept++] = order;
	}
	agent->order_count = kept;
}

static bool may_consume(const struct agent *agent)
{
	return agent->broker && !agent->is_consuming &&
		agent->stop_count == 0 &&
		agent->operations.health.state == HEALTH_WELL;
}

static int64_t next_deadline(const struct agent *agent)
{
	int64_t deadline_ms = br_clock_earlier(
		agent->connect_ms, may_consume(agent) ? agent->rest_ms : -1);

	deadline_ms = br_clock_earlier(deadline_ms, agent->listen_ms);

	if (agent->broker)
		deadline_ms = br_clock_earlier(
			deadline_ms, br_broker_deadline_ms(agent->broker));
	for (size_t i = 0; i < agent->order_count; i++)
		deadline_ms =
			br_clock_earlier(deadline_ms, agent->orders[i]->due_ms);
	return br_clock_earlier(
		deadline_ms, operations_deadline_ms(&agent->operations));
}

static int timeout_until(int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - br_clock_now_ms();

	if (deadline_ms < 0)
		return -1;
	if (left_ms < 0)
		return 0;
	return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* An agent takes from the queues of all subsets of its labels. */
static void name_queues(struct agent *agent)
{
	const struct job_texts *labels = &agent->options->labels;
	size_t count = (size_t)1 << labels->count;

	agent->queues = br_alloc_array(count, sizeof(*agent->queues));
	agent->queue_count = count;
	for (size_t set = 0; set < count; set++) {
		const char *items[8];
		struct job_texts subset = { .items = items };

		for (size_t i = 0; i < labels->count; i++)
			if (set & ((size_t)1 << i))
				items[subset.count++] = labels->items[i];
		agent->queues[set] =
			names_job_queue(agent->options->queue, &subset);
	}
}

static void free_queues(struct agent *agent)
{
	for (size_t i = 0; i < agent->queue_count; i++)
		free(agent->queues[i]);
	free(agent->queues);
	agent->queues = NULL;
	agent->queue_count = 0;
}

/* Hand on what orders need of the options. */
static void set_order_options(struct agent *agent)
{
	const struct agent_options *options = agent->options;

	agent->order_options = (struct order_options){
		.broker = agent->broker,
		.channels = &agent->channels,
		.ledger = &agent->ledger,
		.name = options->name,
		.work_dir = options->work_dir,
		.docker_sock = options->docker_sock,
		.policy = &options->policy,
		.labels = &options->labels,
		.queue = options->queue,
		.ctx = agent,
		.ended = order_ended,
	};
}

/* Read the options again; builds that run keep what they have begun with. */
static void reload_options(struct agent *agent)
{
	br_autobuf struct br_buf kept = { 0 };
	struct br_err err = { 0 };

	operations_reloading(&agent->operations);
	if (agent->reload->read(agent->reload->ctx, &kept, &err)) {
		diary(agent->options->log, "options read again",
			"only-with-a-restart", br_buf_text(&kept), NULL);
		set_order_options(agent);
		agent->listener.log = agent->options->log;
		stop_consuming(agent);
		free_queues(agent);
		name_queues(agent);
		agent->rest_ms = 0;
	} else {
		diary(agent->options->log, "options stay as they were", "why",
			err.text, NULL);
	}
	operations_ready(&agent->operations);
}

static void take_signals(struct agent *agent)
{
	struct signalfd_siginfo info;

	while (read(agent->signal_fd, &info, sizeof(info)) ==
		(ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			reload_options(agent);
			continue;
		}
		agent->stop_count++;
		operations_stopping(&agent->operations);
		if (info.ssi_signo == SIGINT)
			agent->stop_count = 2;
		diary(agent->options->log, "stopping", "how",
			agent->stop_count > 1 ? "at once"
					      : "when the jobs have ended",
			NULL);
		stop_consuming(agent);
	}
}

/* What was never begun goes back at once. */
static void give_jobs_back(struct agent *agent)
{
	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];
		bool is_begun = order->state != ORDER_WAITING &&
			order->state != ORDER_CLAIMED_ELSEWHERE;

		if (!is_begun && !order->is_own && agent->broker) {
			br_delivery_reject(agent->broker,
				order->delivery_channel, order->delivery_tag,
				true);
			order->state = ORDER_DONE;
			order->due_ms = -1;
		}
	}
}

static bool is_over(const struct agent *agent)
{
	if (agent->stop_count > 1)
		return true;
	return agent->stop_count == 1 && agent->order_count == 0;
}

static void turn(struct agent *agent)
{
	size_t count = agent->order_count;
	br_autofree struct pollfd *waits =
		br_alloc_array(count + 2 + OPERATIONS_FDS, sizeof(*waits));
	struct br_err err = { 0 };

	for (size_t i = 0; i < count; i++)
		waits[i] = (struct pollfd){
			.fd = backlog_is_full(&agent->orders[i]->backlog)
				? -1
				: agent->orders[i]->worker.fd,
			.events = POLLIN,
		};
	waits[count] =
		(struct pollfd){ .fd = agent->signal_fd, .events = POLLIN };
	waits[count + 1] = (struct pollfd){
		.fd = agent->broker ? br_broker_fd(agent->broker) : -1,
		.events = (short)(agent->broker
				? br_broker_poll_events(agent->broker)
				: 0),
	};
	operations_poll(&agent->operations, &waits[count + 2]);
	(void)poll(waits, count + 2 + OPERATIONS_FDS,
		timeout_until(next_deadline(agent)));
	if (waits[count].revents)
		take_signals(agent);
	if (agent->broker && !br_broker_work(agent->broker, &err)) {
		br_broker_free(agent->broker);
		agent->broker = NULL;
		agent->order_options.broker = NULL;
	}
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->broker || agent->orders[i]->worker.fd >= 0)
			order_work(agent->orders[i]);
}

/* An agent that rests gives back what it has not begun, and takes no more. */
static void look_at_health(struct agent *agent)
{
	struct operations *operations = &agent->operations;
	const struct health *health = &operations->health;

	operations_show(
		operations, agent->orders, agent->order_count, agent->broker);
	operations_work(operations);
	if (operations_take_change(operations)) {
		diary(agent->options->log,
			health->state == HEALTH_RESTING ? "resting" : "ready",
			"why", health->why, NULL);
		if (health->state == HEALTH_RESTING)
			stop_consuming(agent);
		else if (agent->rest_ms < 0)
			agent->rest_ms = 0;
	}
	if (health->state == HEALTH_RESTING)
		give_jobs_back(agent);
	if (agent->broker)
		operations_announce(operations, agent->broker, CHANNEL_JOBS);
}

static void look_at_clock(struct agent *agent)
{
	int64_t now_ms = br_clock_now_ms();

	if (!agent->broker && agent->connect_ms >= 0 &&
		agent->connect_ms <= now_ms)
		(void)connect_broker(agent);
	if (may_consume(agent) && agent->rest_ms >= 0 &&
		agent->rest_ms <= now_ms)
		start_consuming(agent);
	if (agent->broker && agent->listen_ms >= 0 &&
		agent->listen_ms <= now_ms) {
		agent->listen_ms = -1;
		listener_start(&agent->listener);
	}
}

static int watch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Before their jobs go back: nobody else works on them until nothing is left here. */
static void stop_builds(struct agent *agent)
{
	int64_t deadline_ms = br_clock_now_ms() + STOP_MS;

	for (size_t i = 0; i < agent->order_count; i++)
		worker_abort(&agent->orders[i]->worker);
	for (size_t i = 0; i < agent->order_count; i++)
		worker_await(&agent->orders[i]->worker, deadline_ms);
}

static void free_agent(struct agent *agent)
{
	stop_builds(agent);
	for (size_t i = 0; i < agent->order_count; i++)
		order_free(agent->orders[i]);
	free(agent->orders);
	free_queues(agent);
	operations_close(&agent->operations);
	br_broker_free(agent->broker);
	if (agent->signal_fd >= 0)
		(void)close(agent->signal_fd);
}

/* Begin all but taking jobs. Gives false where it cannot run at all. */
static bool start(struct agent *agent)
{
	const struct agent_options *options = agent->options;
	struct br_err err = { 0 };

	set_order_options(agent);
	name_queues(agent);
	if (!operations_open(options, &agent->operations, &err)) {
		diary(options->log, "no listener", "why", err.text, NULL);
		return false;
	}
	if (agent->operations.http)
		diary(options->log, "listening", "address",
			http_address(agent->operations.http), NULL);
	(void)br_checkout_sweep(options->work_dir);
	if (!connect_broker(agent))
		return false;
	operations_ready(&agent->operations);
	return true;
}

int agent_run(
	const struct agent_options *options, const struct agent_reload *reload)
{
	enum { EXIT_ENVIRONMENT = 3 };
	struct agent agent = {
		.options = options,
		.reload = reload,
		.signal_fd = watch_signals(),
		.listener = { .channel = CHANNEL_CONTROL, .log = options->log },
		.connect_ms = 0,
		.rest_ms = -1,
		.listen_ms = -1,
		.retry_ms = RETRY_FIRST_MS,
	};

	if (!start(&agent)) {
		free_agent(&agent);
		return EXIT_ENVIRONMENT;
	}
	while (!is_over(&agent)) {
		turn(&agent);
		look_at_health(&agent);
		look_at_clock(&agent);
		if (agent.stop_count > 0)
			give_jobs_back(&agent);
		begin_again(&agent);
		begin_waiting(&agent);
		drop_done(&agent);
	}
	free_agent(&agent);
	/* What was killed has left its tree. */
	(void)br_checkout_sweep(options->work_dir);
	return 0;
}
