/* SPDX-License-Identifier: MIT */
#include "run/cache_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

bool br_cache_queue_open(struct br_cache_queue *queue,
	const struct br_cache_worker_options *options, struct br_err *err)
{
	*queue = BR_CACHE_QUEUE_CLOSED;
	return br_cache_worker_open(options, &queue->worker, err);
}

void br_cache_queue_close(struct br_cache_queue *queue)
{
	br_cache_worker_close(&queue->worker);
	free(queue->wishes);
	*queue = BR_CACHE_QUEUE_CLOSED;
}

bool br_cache_queue_is_open(const struct br_cache_queue *queue)
{
	return queue->worker.child.fd >= 0;
}

bool br_cache_queue_is_busy(const struct br_cache_queue *queue)
{
	return queue->count > 0;
}

bool br_cache_queue_is_noting(const struct br_cache_queue *queue)
{
	for (size_t i = queue->first; i < queue->count; i++)
		if (queue->wishes[i].request.question == BR_CACHE_RUN)
			return true;
	return false;
}

static void ask_first(const struct br_cache_queue *queue)
{
	const struct br_cache_wish *wish = queue->wishes + queue->first;
	struct br_err ignored = { 0 };

	/* That the child has gone is seen when its answer is read. */
	if (queue->count > 0)
		(void)!br_cache_worker_ask(&queue->worker, &wish->request,
			wish->tape_fd, &ignored);
}

static void add(struct br_cache_queue *queue,
	const struct br_cache_request *request, int tape_fd)
{
	queue->wishes = br_grow(queue->wishes, queue->count, &queue->capacity,
		sizeof(*queue->wishes));
	queue->wishes[queue->count++] =
		(struct br_cache_wish){ *request, tape_fd };
	if (queue->count - queue->first == 1)
		ask_first(queue);
}

void br_cache_queue_ask(struct br_cache_queue *queue,
	enum br_cache_question question, size_t stage, int tape_fd)
{
	const struct br_cache_request request = {
		.question = question,
		.stage = stage,
	};

	add(queue, &request, tape_fd);
}

void br_cache_queue_tell(
	struct br_cache_queue *queue, const char *image, const char *digest)
{
	struct br_cache_request request = { .question = BR_CACHE_DIGEST };

	(void)snprintf(request.image, sizeof(request.image), "%s", image);
	(void)snprintf(request.digest, sizeof(request.digest), "%s", digest);
	add(queue, &request, -1);
}

static struct br_cache_request take_first(struct br_cache_queue *queue)
{
	struct br_cache_request first = queue->wishes[queue->first++].request;

	if (queue->first == queue->count) {
		queue->first = 0;
		queue->count = 0;
	}
	return first;
}

/* What is answered where nobody answers any more. */
static enum br_cache_finding answer_nobody(enum br_cache_question question)
{
	switch (question) {
	case BR_CACHE_LOOK:
		return BR_CACHE_UNKNOWN;
	case BR_CACHE_LOOK_AGAIN:
		return BR_CACHE_MISS;
	case BR_CACHE_RUN:
		return BR_CACHE_NOTED;
	case BR_CACHE_KEEP:
	case BR_CACHE_CHECK:
		return BR_CACHE_WELL;
	case BR_CACHE_DIGEST:
		return BR_CACHE_SAME_DIGEST;
	}
	return BR_CACHE_UNKNOWN;
}

/* Take what the child has said. False: nothing; where it is lost, the worker is closed. */
static bool read_answer(struct br_cache_queue *queue,
	struct br_cache_answer *answer, struct br_err *err)
{
	bool is_there = false;

	if (queue->worker.child.fd >= 0 &&
		!br_cache_worker_read(&queue->worker, answer, &is_there, err))
		br_cache_worker_close(&queue->worker);
	return is_there;
}

bool br_cache_queue_take(struct br_cache_queue *queue,
	enum br_cache_question *question, struct br_cache_answer *answer,
	struct br_err *err)
{
	bool is_there = read_answer(queue, answer, err);

	if (queue->count == 0 || (!is_there && queue->worker.child.fd >= 0))
		return false;

	struct br_cache_request request = take_first(queue);
	*question = request.question;
	if (is_there)
		ask_first(queue);
	else
		*answer = (struct br_cache_answer){
			.finding = answer_nobody(request.question),
			.stage = request.stage,
		};
	return true;
}
