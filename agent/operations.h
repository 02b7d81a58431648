/* SPDX-License-Identifier: MIT */
/*
 * operations.h - the agent as its administrator sees it: systemd, the health of the
 * machine, /healthz and /metrics.
 *
 * The agent says what it does (operations_show()), and is told whether it may.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/agent.h"
#include "agent/health.h"
#include "agent/http.h"
#include "agent/metrics.h"
#include "agent/notify.h"
#include "agent/order.h"
#include "agent/tidy.h"
#include "base/attr.h"
#include "base/err.h"
#include "broker/broker.h"

/* Starts out by operations_open(). */
struct operations {
	const struct agent_options *options;
	struct health health;
	struct metrics metrics;
	struct metrics_now now;
	bool is_stopping;

	/* Private. */
	struct notify notify;
	struct tidy tidy;
	struct http *http;
	/* What systemd was told last, and what it is to be told when it is time to. */
	char told_status[640];
	char status[640];
	int64_t status_ms;
	/* What the agent knows, and whether subscribers know that it rests. */
	enum health_state seen_state;
	bool is_told_to_rest;
};

/* Descriptors to poll. */
enum { OPERATIONS_FDS = 3 };

/*
 * Begin. Ownership: operations_close(). `options` is borrowed until then, and may be
 * changed. Fails as http_open().
 */
bool operations_open(const struct agent_options *options,
	struct operations *operations, struct br_err *err) BR_MUST_CHECK;

/* End all of it. */
void operations_close(struct operations *operations);

/* Say what to poll, and when operations_work() is due, in monotonic ms; -1: never. */
void operations_poll(
	const struct operations *operations, struct pollfd fds[OPERATIONS_FDS]);
int64_t operations_deadline_ms(const struct operations *operations);

/* Do what is due. */
void operations_work(struct operations *operations);

/*
 * Say, once each time, whether the agent has begun to rest or has got well: it stops or
 * starts taking jobs then.
 */
bool operations_take_change(struct operations *operations);

/* An order has ended. */
void operations_count(struct operations *operations, const struct order *order,
	enum order_end end);

/* What the agent is about: its orders, and whether it has a broker. */
void operations_show(struct operations *operations, struct order *const *orders,
	size_t count, const struct br_broker *broker);

/*
 * Tell subscribers of NAMES_EVENTS that the agent rests, or does not any more, where
 * they do not know yet: `agent.<name>.resting` or `.ready`, {"agent", "state", "why"}.
 */
void operations_announce(struct operations *operations,
	struct br_broker *broker, unsigned channel);

/* Tell systemd: from now on it runs; the options are read again; it stops. */
void operations_ready(struct operations *operations);
void operations_reloading(struct operations *operations);
void operations_stopping(struct operations *operations);
