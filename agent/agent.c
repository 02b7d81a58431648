/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "checkout/checkout.h"

static int64_t next_deadline(const struct agent *agent)
{
	int64_t deadline_ms = br_clock_earlier(agent->connect_ms,
		agent_may_consume(agent) ? agent->rest_ms : -1);

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
		.cache = &options->cache,
		.labels = &options->labels,
		.queue = options->queue,
		.ctx = agent,
		.ended = agent_order_ended,
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
		agent_stop_consuming(agent);
		agent_free_queues(agent);
		agent_name_queues(agent);
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
		agent_stop_consuming(agent);
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
		br_clock_left_ms(next_deadline(agent)));
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
			agent_stop_consuming(agent);
		else if (agent->rest_ms < 0)
			agent->rest_ms = 0;
	}
	if (health->state == HEALTH_RESTING)
		agent_give_jobs_back(agent);
	if (agent->broker)
		operations_announce(operations, agent->broker, CHANNEL_JOBS);
}

static void look_at_clock(struct agent *agent)
{
	int64_t now_ms = br_clock_now_ms();

	if (!agent->broker && agent->connect_ms >= 0 &&
		agent->connect_ms <= now_ms)
		(void)agent_connect(agent);
	if (agent_may_consume(agent) && agent->rest_ms >= 0 &&
		agent->rest_ms <= now_ms)
		agent_start_consuming(agent);
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

static void free_agent(struct agent *agent)
{
	agent_stop_builds(agent);
	for (size_t i = 0; i < agent->order_count; i++)
		order_free(agent->orders[i]);
	free(agent->orders);
	agent_free_queues(agent);
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
	agent_name_queues(agent);
	if (!operations_open(options, &agent->operations, &err)) {
		diary(options->log, "no listener", "why", err.text, NULL);
		return false;
	}
	if (agent->operations.http)
		diary(options->log, "listening", "address",
			http_address(agent->operations.http), NULL);
	(void)br_checkout_sweep(options->work_dir);
	if (!agent_connect(agent))
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
			agent_give_jobs_back(&agent);
		agent_begin_again(&agent);
		agent_begin_waiting(&agent);
		agent_drop_done(&agent);
	}
	free_agent(&agent);
	/* What was killed has left its tree. */
	(void)br_checkout_sweep(options->work_dir);
	return 0;
}
