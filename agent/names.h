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

/* Declare them: durable, and gone after a day without use. */
void names_declare_result(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx);
void names_declare_tries(struct br_broker *broker, unsigned channel,
	const char *build, br_reply_fn *fn, void *ctx);

/* `<queue>.dead` */
char *names_dead(const char *queue) BR_NONNULL_RESULT;

/* `<queue>`, or `<queue>@<labels, sorted, joined by +>`. */
char *names_job_queue(
	const char *queue, const struct job_texts *labels) BR_NONNULL_RESULT;

/*
 * Declare a queue of jobs: a durable quorum queue whose rejected messages go to
 * `<base>.dead`, which is declared before. Both are left as they are where they are
 * there already in another form, which is `fn`'s to find out.
 */
void names_declare_job_queue(struct br_broker *broker, unsigned channel,
	const char *base, const char *name, br_reply_fn *fn, void *ctx);
