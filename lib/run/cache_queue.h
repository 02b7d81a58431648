/* SPDX-License-Identifier: MIT */
/*
 * cache_queue.h - the questions of a build to the child of the stage cache, in their order.
 *
 * The child (cache_worker.h) takes one at a time; the others wait here. If it is lost, each
 * question is answered all the same, as if there were no stage cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "run/cache_worker.h"

/* A question that is not answered yet. */
struct br_cache_wish {
	struct br_cache_request request;
	/* Borrowed; -1: none. */
	int tape_fd;
};

/* Starts out as BR_CACHE_QUEUE_CLOSED, then br_cache_queue_open(). Private. */
struct br_cache_queue {
	struct br_cache_worker worker;
	/* From `first` to `count`; the first one has been asked. */
	struct br_cache_wish *wishes;
	size_t first;
	size_t count;
	size_t capacity;
};

#define BR_CACHE_QUEUE_CLOSED \
	((struct br_cache_queue){ .worker = { .child = { .fd = -1 } } })

/*
 * Start the child. Ownership: br_cache_queue_close(). Fails with BR_ESYSTEM.
 */
bool br_cache_queue_open(struct br_cache_queue *queue,
	const struct br_cache_worker_options *options,
	struct br_err *err) BR_MUST_CHECK;

/* End the child, and free. May be called twice. */
void br_cache_queue_close(struct br_cache_queue *queue);

/* Say whether the child is there: nothing is to be asked for otherwise. */
bool br_cache_queue_is_open(const struct br_cache_queue *queue);

/* Say whether any question is not answered yet. */
bool br_cache_queue_is_busy(const struct br_cache_queue *queue);

/* Say whether the child has still to note that a stage runs. */
bool br_cache_queue_is_noting(const struct br_cache_queue *queue);

/* Ask about a stage. `tape_fd` is borrowed until the answer is there; -1: none. */
void br_cache_queue_ask(struct br_cache_queue *queue,
	enum br_cache_question question, size_t stage, int tape_fd);

/* Say what an image is. */
void br_cache_queue_tell(
	struct br_cache_queue *queue, const char *image, const char *digest);

/*
 * Take the next answer and its question, without waiting; false: there is none yet. When the
 * child is lost *err says so, once, and the questions that are left are answered.
 */
bool br_cache_queue_take(struct br_cache_queue *queue,
	enum br_cache_question *question, struct br_cache_answer *answer,
	struct br_err *err);
