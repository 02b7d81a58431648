/* SPDX-License-Identifier: MIT */
/*
 * cache_worker.h - the child that does what the stage cache takes time for.
 *
 * To hash files, to put outputs back and to store them can take seconds, and a build has
 * better things to do than to wait: so a child does it, one thing after another. It is
 * asked and answers in messages on a socket. It is forked when the plan is made, and
 * speaks of its stages by their indexes; what the identities of stages are, it keeps. It
 * dies with its parent and when the parent no longer listens: the store is whole at
 * every moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/child.h"
#include "base/err.h"
#include "cache/hash.h"
#include "plan/plan.h"

/* Borrowed for the call of br_cache_worker_open(). */
struct br_cache_worker_options {
	const struct br_plan *plan;
	/* Of the store; NULL: there is none, and only BR_CACHE_CHECK can be asked. */
	const char *store_folder;
	/* What the project is called in the store's history. */
	const char *project;
	/* Whose images' digests are remembered. */
	const char *engine;
	/* Results are looked for, but stay where they are: see BR_CACHE_KEEP. */
	bool is_verifying;
};

enum br_cache_question {
	/* Is there a result? Its outputs are put in place then. */
	BR_CACHE_LOOK,
	/* The same, after the store may have got one. */
	BR_CACHE_LOOK_AGAIN,
	/* No question: after a MISS, that the stage runs. */
	BR_CACHE_RUN,
	/*
	 * A stage has passed: are its outputs there, and its inputs what they were? They
	 * are stored then, with the tape. Where results are verified, outputs
	 * are compared with those that are stored, if there are any.
	 */
	BR_CACHE_KEEP,
	/* Only: are its outputs there? */
	BR_CACHE_CHECK,
	/* No question, but what an image is, by its name and digest; "": it is not known. */
	BR_CACHE_DIGEST,
};

enum br_cache_finding {
	/* To LOOK: it is there, in place; it is not; what the stage is cannot be said. */
	BR_CACHE_HIT,
	BR_CACHE_MISS,
	BR_CACHE_UNKNOWN,
	/* To KEEP and CHECK. */
	BR_CACHE_STORED,
	BR_CACHE_NOT_STORED,
	BR_CACHE_WELL,
	/* An output is not there. */
	BR_CACHE_NO_OUTPUT,
	/* Outputs are not those that are stored, which are dropped. */
	BR_CACHE_OTHER_OUTPUT,
	/* To RUN. */
	BR_CACHE_NOTED,
	/* To DIGEST: it is as it was remembered; it is another one, or was not known. */
	BR_CACHE_SAME_DIGEST,
	BR_CACHE_NEW_DIGEST,
};

/* A message as it is on the socket: both ends are the same program. */
struct br_cache_request {
	enum br_cache_question question;
	size_t stage;
	/* Of DIGEST. */
	char image[1024];
	char digest[128];
};

struct br_cache_answer {
	enum br_cache_finding finding;
	size_t stage;
	/* Of HIT, MISS and what is answered to KEEP. */
	uint8_t identity[BR_HASH_BYTES];
	/* Of all that is not as one would wish: why, in words. */
	char text[512];
};

/* A child at work. Starts out by br_cache_worker_open(). */
struct br_cache_worker {
	/* Its fd is to be polled for POLLIN. */
	struct br_child child;
};

/*
 * Fork the child. Ownership: br_cache_worker_close(). Fails with BR_ESYSTEM.
 */
bool br_cache_worker_open(const struct br_cache_worker_options *options,
	struct br_cache_worker *worker, struct br_err *err) BR_MUST_CHECK;

/*
 * Ask for something: each is answered once, in order. Not before the last answer is
 * there. `tape_fd` goes with KEEP, else it is -1. Fails with BR_ESYSTEM.
 */
bool br_cache_worker_ask(const struct br_cache_worker *worker,
	const struct br_cache_request *request, int tape_fd,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Take the next answer, without waiting; *is_there says whether one came.
 *
 * Fails with BR_EUNAVAIL where the child has ended.
 */
bool br_cache_worker_read(const struct br_cache_worker *worker,
	struct br_cache_answer *answer, bool *is_there,
	struct br_err *err) BR_MUST_CHECK;

/* End the child, if need be by force. May be called twice. */
void br_cache_worker_close(struct br_cache_worker *worker);
