/* SPDX-License-Identifier: MIT */
/*
 * order.h - one job in the agent's hands, from its delivery to its report.
 *
 * What keeps a job from being lost or reported twice stands on the broker, not here:
 *
 *	buildr.claim.<id>   exclusive queue: who has it works on the job. It is on the
 *	                    connection that publishes, so that who has lost it cannot
 *	                    report.
 *	buildr.result.<id>  durable queue, bound to the build's last event and kept for
 *	                    a day: what is in it is the report.
 *	buildr.tries.<id>   durable queue with a message for each try that was begun.
 *
 * An order goes through its states in this order; each step waits for the broker's
 * word, though all are asked for at once. Where nobody else seems to have had the job, its
 * try is recorded with the same write, and a worker begins to check the project out: it
 * says nothing and builds nothing before the claim is ours and the try has a number, and
 * what it says goes the way that the record went before. The loss of the connection leads back to the claim and to the look at the
 * result where a worker runs, since another agent may have reported the job meanwhile;
 * elsewhere it ends the order: the broker delivers the job again.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/backlog.h"
#include "agent/job.h"
#include "agent/ledger.h"
#include "agent/replies.h"
#include "agent/worker.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "broker/broker.h"
#include "event/event.h"

enum order_state {
	/* Put back with an id, or moved to the queue of its labels. */
	ORDER_MOVING,
	/* Nothing is done about it until a job is free. */
	ORDER_WAITING,
	ORDER_CLAIMING,
	/*
	 * Another agent works on it, or the queue that it belongs to is full: asked
	 * again after a while.
	 */
	ORDER_CLAIMED_ELSEWHERE,
	/* Is there a result? Which try is this? */
	ORDER_CHECKING,
	/* Whoever has just reported it may have to say so again: see ledger.h. */
	ORDER_LINGERING,
	/* The worker runs, or its last events are on their way. */
	ORDER_WORKING,
	/* The worker runs, but connection or claim are lost. */
	ORDER_ADRIFT,
	/* Nothing is left to do; freed when the broker has answered all. */
	ORDER_DONE,
};

/* How an order ended, for who counts. */
enum order_end {
	/* Put back or moved: another order. */
	ORDER_END_MOVED,
	/* Another agent has it, or had reported it. */
	ORDER_END_ELSEWHERE,
	ORDER_END_REPORTED,
	/* Our own failure: it goes to another agent. */
	ORDER_END_AGAIN,
};

/*
 * Channels are opened once for a connection and used by one order after another:
 * what is known of each, by its number. The broker closes one where it refuses a
 * claim; it is open again then, but confirms nothing.
 */
enum { ORDER_CHANNELS = 2000 };
struct order_channels {
	bool is_open[ORDER_CHANNELS];
	bool is_confirming[ORDER_CHANNELS];
};

struct order;

/* What orders need of the agent; borrowed. */
struct order_options {
	struct br_broker *broker;
	struct order_channels *channels;
	struct ledger *ledger;
	const char *name;
	const char *work_dir;
	const char *docker_sock;
	const struct policy *policy;
	const struct worker_cache *cache;
	/* The agent's, sorted. */
	const struct job_texts *labels;
	/* The queue that jobs without labels are in. */
	const char *queue;
	void *ctx;
	/*
	 * The order has ended, and goes as soon as it can. Where it ends by our own
	 * failure the job is given back after this: who stops taking jobs here gets
	 * it not again.
	 */
	void (*ended)(void *ctx, struct order *order, enum order_end end);
};

/* A publish that the broker has not confirmed yet. */
struct order_publish {
	uint64_t tag;
	/* Of the backlog, what is confirmed with it; -1: nothing. */
	int64_t end;
	/* A queue of ours has to have it. */
	bool is_needed;
	bool is_confirmed;
};

enum { ORDER_WINDOW = 512 };

/* Private, but for state, id and worker. */
struct order {
	enum order_state state;
	char id[BR_UUID_TEXT_BYTES];
	struct worker worker;
	/* Has been started before the try was recorded, and waits for that. */
	struct worker ahead;
	/* WORKER_DONE, WORKER_AGAIN or WORKER_AWAY, once it has ended. */
	int worker_status;
	bool has_worker_ended;
	/* Its build.finished was told, which is the report. */
	bool has_report;

	const struct order_options *options;
	/* Its own, for claim and publishes. */
	unsigned channel;
	/* Of the delivery; 0: the broker delivers it again. */
	unsigned delivery_channel;
	uint64_t delivery_tag;
	bool is_redelivered;
	struct job *job;
	/* Why the job is none; BR_OK: it is one. */
	struct br_err mistake;
	struct br_buf body;
	char *queue;
	char *reply_to;
	char *correlation_id;
	uint32_t attempt;
	struct backlog backlog;
	struct replies replies;
	/* A ring. */
	struct order_publish window[ORDER_WINDOW];
	size_t window_first;
	size_t window_count;
	/* When to ask for the claim again, in monotonic ms; -1. */
	int64_t due_ms;
	/* The claim is ours, on this connection. */
	bool has_claim;
	/* Another agent has had the claim meanwhile. */
	bool is_contested;
	/* This try was recorded before its number was known. */
	bool is_recorded;
	/* Requests that the broker has not answered. */
	unsigned pending_count;
	/* The queue to move it to is there, whatever its form. */
	bool has_target;
	/* No queue took what was published last and had to be taken. */
	bool is_returned;
	/* How often in a row the broker took nothing of what was published. */
	unsigned setback_count;
	/* The job goes to `<queue>.dead`, which is there, and has been sent. */
	bool is_dead;
	bool has_grave;
	bool is_buried;
	/* Somebody has asked to cancel it. */
	bool is_cancelled;
	/*
	 * It came by the control exchange, for this agent alone: there is no
	 * delivery, and nobody else tries it again.
	 */
	bool is_own;
	/* It has ended in our own failure, and is to be begun anew. */
	bool is_again;
	/* How often it was. */
	unsigned again_count;
	/* For who counts: events published, and what the last of them said. */
	uint64_t event_count;
	enum br_result result;
	double seconds;
};

/* Make an order of a delivery. Ownership: order_free(). */
struct order *order_new(const struct order_options *options,
	const struct br_delivery *delivery, const char *queue,
	unsigned channel);

/* Free it and what it runs. May be NULL. */
void order_free(struct order *order);

/* Begin to work on one that waits. */
void order_begin(struct order *order);

/* The worker has something to read, or a time is due. */
void order_work(struct order *order);

/* Publish what can be published. */
void order_publish(struct order *order);

/* A publish on its channel was confirmed. */
void order_confirmed(
	struct order *order, uint64_t tag, bool is_multiple, bool is_accepted);

/* No queue took a publish on its channel; its confirm comes next. */
void order_returned(struct order *order);

/* The broker has closed its channel, which is open again and confirms nothing. */
void order_channel_closed(struct order *order);

/*
 * The channel of its delivery was closed: the broker delivers the job again, and the
 * tag is nobody's, or soon another's.
 */
void order_delivery_lost(struct order *order);

/* The connection is lost: it goes adrift, or ends. */
void order_cast_off(struct order *order);

/* There is a connection again: claim what is still ours. */
void order_return(struct order *order);

/* The broker has delivered a job again that this order works on. */
void order_adopt(struct order *order, const struct br_delivery *delivery);

/*
 * Stop the build, which is then reported as cancelled. Does nothing where the order
 * does not have the build's claim, and the second time.
 */
void order_cancel(struct order *order);
