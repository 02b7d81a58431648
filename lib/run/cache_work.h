/* SPDX-License-Identifier: MIT */
/* cache_work.h - what the child of cache_worker.h does, one question at a time. */
#pragma once

#include "run/cache_worker.h"

struct br_cache_work;

/*
 * Open what it needs: the project, the store, what is remembered of images. A store
 * that cannot be opened is none.
 *
 * Ownership: the process ends with it. Fails with BR_ESYSTEM where the project cannot be
 * opened.
 */
bool br_cache_work_open(const struct br_cache_worker_options *options,
	struct br_cache_work **work, struct br_err *err) BR_MUST_CHECK;

/* Do what is asked for. `tape_fd` is borrowed; -1: there is none. */
void br_cache_work_do(struct br_cache_work *work,
	const struct br_cache_request *request, int tape_fd,
	struct br_cache_answer *answer);
