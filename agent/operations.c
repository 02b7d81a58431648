/* SPDX-License-Identifier: MIT */
#include "agent/operations.h"

#include <stdio.h>
#include <string.h>

#include "agent/names.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/json_text.h"

/* Between two lines on what is going on; systemd writes each down. */
enum { STATUS_MS = 1000 };

static const char *state_name(enum health_state state)
{
	return state == HEALTH_RESTING ? "resting" : "ready";
}

static int answer(
	void *ctx, const char *path, const char **type, struct br_buf *body)
{
	const struct operations *operations = ctx;
	const struct health *health = &operations->health;
	const char *wrong = NULL;

	if (strcmp(path, "/metrics") == 0) {
		*type = "text/plain; version=0.0.4";
		metrics_format(&operations->metrics, &operations->now, body);
		return 200;
	}
	if (strcmp(path, "/healthz") != 0) {
		br_buf_add_text(body, "there are /healthz and /metrics\n");
		return 404;
	}
	if (operations->is_stopping)
		wrong = "stopping";
	else if (health->state == HEALTH_RESTING)
		wrong = health->why;
	else if (!operations->now.is_connected)
		wrong = "no connection to the broker";
	else if (health->state == HEALTH_UNKNOWN)
		wrong = "starting";
	br_buf_addf(body, "%s\n", wrong ? wrong : "ok");
	return wrong ? 503 : 200;
}

bool operations_open(const struct agent_options *options,
	struct operations *operations, struct br_err *err)
{
	*operations = (struct operations){
		.options = options,
		.now = { .name = options->name, .version = BUILDR_VERSION },
	};
	health_init(&operations->health);
	tidy_init(&operations->tidy);
	notify_open(&operations->notify);
	return !options->listen ||
		http_open(options->listen, answer, operations,
			&operations->http, err);
}

void operations_close(struct operations *operations)
{
	health_done(&operations->health);
	tidy_done(&operations->tidy);
	notify_close(&operations->notify);
	http_close(operations->http);
}

void operations_poll(
	const struct operations *operations, struct pollfd fds[OPERATIONS_FDS])
{
	fds[0] = (struct pollfd){
		.fd = health_fd(&operations->health),
		.events = POLLIN,
	};
	fds[1] = (struct pollfd){
		.fd = operations->http ? http_fd(operations->http) : -1,
		.events = POLLIN,
	};
	fds[2] = (struct pollfd){
		.fd = tidy_fd(&operations->tidy),
		.events = POLLIN,
	};
}

int64_t operations_deadline_ms(const struct operations *operations)
{
	const struct notify *notify = &operations->notify;
	int64_t deadline_ms = notify->alive_ms;

	if (!operations->is_stopping)
		deadline_ms = br_clock_earlier(
			br_clock_earlier(deadline_ms,
				health_deadline_ms(&operations->health)),
			tidy_deadline_ms(&operations->tidy));
	if (operations->http)
		deadline_ms = br_clock_earlier(
			deadline_ms, http_deadline_ms(operations->http));
	if (strcmp(operations->status, operations->told_status) != 0)
		deadline_ms =
			br_clock_earlier(deadline_ms, operations->status_ms);
	return deadline_ms;
}

static void tell_status(struct operations *operations)
{
	br_autofree char *text = NULL;
	int64_t now_ms = br_clock_now_ms();

	if (strcmp(operations->status, operations->told_status) == 0 ||
		operations->status_ms > now_ms)
		return;
	memcpy(operations->told_status, operations->status,
		sizeof(operations->told_status));
	operations->status_ms = now_ms + STATUS_MS;
	text = br_format("STATUS=%s", operations->status);
	notify_send(&operations->notify, text);
}

void operations_work(struct operations *operations)
{
	if (!operations->is_stopping) {
		health_work(&operations->health, operations->options);
		tidy_work(&operations->tidy, operations->options);
	}
	notify_work(&operations->notify);
	tell_status(operations);
	if (operations->http)
		http_work(operations->http);
}

bool operations_take_change(struct operations *operations)
{
	bool is_changed = operations->seen_state != operations->health.state;

	operations->seen_state = operations->health.state;
	/* It may be for want of room. */
	if (is_changed && operations->seen_state == HEALTH_RESTING)
		tidy_hurry(&operations->tidy);
	return is_changed;
}

static void count_failure(
	struct operations *operations, const struct order *order)
{
	int64_t now_ms = br_clock_now_ms();

	operations->metrics.given_back++;
	if (order->worker_status == WORKER_AWAY)
		health_failed_away(&operations->health, order->id, now_ms);
	else
		health_failed(&operations->health, now_ms);
}

void operations_count(struct operations *operations, const struct order *order,
	enum order_end end)
{
	operations->metrics.events += order->event_count;
	if (end == ORDER_END_REPORTED) {
		/* What was not built says nothing of the machine. */
		if (!order->is_dead && order->mistake.code == BR_OK)
			health_succeeded(&operations->health);
		metrics_add_report(
			&operations->metrics, order->result, order->seconds);
	}
	if (end == ORDER_END_AGAIN)
		count_failure(operations, order);
}

static void count_order(struct metrics_now *now, const struct order *order)
{
	switch (order->state) {
	case ORDER_DONE:
		return;
	case ORDER_WAITING:
	case ORDER_CLAIMED_ELSEWHERE:
		now->waiting++;
		break;
	case ORDER_MOVING:
	case ORDER_CLAIMING:
	case ORDER_CHECKING:
	case ORDER_WORKING:
	case ORDER_ADRIFT:
	case ORDER_LINGERING:
		now->running++;
		break;
	}
	now->events += order->event_count;
	now->backlog_bytes += order->backlog.end - order->backlog.confirmed;
}

static void write_status(struct operations *operations)
{
	const struct metrics_now *now = &operations->now;
	const char *what = "taking jobs";

	if (operations->is_stopping)
		what = "stopping";
	else if (operations->health.state == HEALTH_RESTING)
		what = "resting";
	else if (!now->is_connected)
		what = "waiting for the broker";
	else if (operations->health.state == HEALTH_UNKNOWN)
		what = "starting";
	(void)snprintf(operations->status, sizeof(operations->status),
		"%s; %zu running, %zu waiting%s%.500s", what, now->running,
		now->waiting, operations->health.why[0] != '\0' ? "; " : "",
		operations->health.why);
}

void operations_show(struct operations *operations, struct order *const *orders,
	size_t count, const struct br_broker *broker)
{
	struct metrics_now *now = &operations->now;
	const struct health *health = &operations->health;

	*now = (struct metrics_now){
		.name = operations->options->name,
		.version = BUILDR_VERSION,
		.jobs_max = operations->options->jobs,
		.failures_in_row = health->failure_count,
		.is_connected = broker,
		.is_resting = health->state == HEALTH_RESTING,
	};
	for (size_t i = 0; i < count; i++)
		count_order(now, orders[i]);
	write_status(operations);
}

static void format_state(
	const struct operations *operations, struct br_buf *text)
{
	const struct health *health = &operations->health;

	br_buf_add_text(text, "{\"agent\":");
	br_json_add_string(text, br_str(operations->options->name));
	br_buf_addf(text, ",\"state\":\"%s\"", state_name(health->state));
	if (health->why[0] != '\0') {
		br_buf_add_text(text, ",\"why\":");
		br_json_add_string(text, br_str(health->why));
	}
	br_buf_add_char(text, '}');
}

void operations_announce(struct operations *operations,
	struct br_broker *broker, unsigned channel)
{
	bool is_resting = operations->health.state == HEALTH_RESTING;
	br_autobuf struct br_buf body = { 0 };
	br_autofree char *key = NULL;
	struct br_message message = { .exchange = NAMES_EVENTS };

	if (is_resting == operations->is_told_to_rest)
		return;
	format_state(operations, &body);
	/* A broker that takes nothing now is told later. */
	if (!br_broker_can_publish(broker, body.len))
		return;
	key = br_format("agent.%s.%s", operations->options->name,
		state_name(operations->health.state));
	message.routing_key = key;
	message.body = br_buf_str(&body);
	(void)br_message_publish(broker, channel, &message);
	operations->is_told_to_rest = is_resting;
}

void operations_ready(struct operations *operations)
{
	notify_ready(&operations->notify);
}

void operations_reloading(struct operations *operations)
{
	notify_reloading(&operations->notify);
	health_look(&operations->health, br_clock_now_ms());
	tidy_hurry(&operations->tidy);
}

void operations_stopping(struct operations *operations)
{
	if (!operations->is_stopping)
		notify_send(&operations->notify, "STOPPING=1");
	operations->is_stopping = true;
	health_done(&operations->health);
	tidy_done(&operations->tidy);
}
