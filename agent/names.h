/* SPDX-License-Identifier: MIT */
/*
 * names.h - what queues and exchanges are called (contract.md), and how they are made.
 *
 * Ownership: the caller frees each name with free().
 */
#pragma once

#include "agent/job.h"
#include "base/attr.h"
#include "broker/broker.h"

/* The topic exchange of events, and the one that all agents hear. */
#define NAMES_EVENTS "buildr.events"
#define NAMES_CONTROL "buildr.control"

/* `buildr.claim.<id>` */
char *names_claim(const char *build) BR_NONNULL_RESULT;
/* `buildr.result.<id>` */
char *names_result(const char *build) BR_NONNULL_RESULT;
/* `buildr.tries.<id>` */
char *names_tries(const char *build) BR_NONNULL_RESULT;

/* Declare it: durable, and gone after a day without use, as that of the result. */
void names_declare_tries(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx);

/* `<queue>.dead` */
char *names_dead(const char *queue) BR_NONNULL_RESULT;

/* A day, for which a result is kept (contract.md). */
#define NAMES_KEPT_MS (INT64_C(24) * 60 * 60 * 1000)

/* `<id>.build.finished`, the routing key of a build's last event. */
char *names_finished(const char *build) BR_NONNULL_RESULT;

/* Declare the queue of a build's result, which still has to be bound. */
void names_declare_result(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx);

/* Have the last event of a build go to the queue of its result. */
void names_bind_result(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx);

/*
 * Claim a build: who gets it has it until the queue is deleted or the connection
 * ends. Refused with 405 where another connection has it.
 */
void names_claim_build(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx);

/* `<queue>`, or `<queue>@<labels, sorted, joined by +>`. */
char *names_job_queue(
	const char *queue, const struct job_texts *labels) BR_NONNULL_RESULT;

/*
 * Declare a queue of jobs: a durable quorum queue whose rejected messages go to
 * `<base>.dead`, which is declared before. Both are left as they are where they are
 * there already in another form: of the queue of jobs `fn` hears that, and the channel
 * has been closed and opened again in either case.
 */
void names_declare_job_queue(struct br_broker *broker, unsigned channel,
	const char *base, const char *name, br_reply_fn *fn, void *ctx);
