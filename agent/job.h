/* SPDX-License-Identifier: MIT */
/*
 * job.h - a job as it stands on the queue (contract.md, job.schema.json).
 *
 * A job is JSON that anybody may have typed into the broker's management page, so
 * everything about it is checked here, and what is wrong with it is told as a build
 * that ended in an error. Keys that are not known are kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/str.h"

struct cJSON;

/* A list of texts, NULL-terminated. */
struct job_texts {
	const char **items;
	size_t count;
};

/* All in its arena, but for the tree. */
struct job {
	struct br_arena arena;
	/* A UUID in lower case; NULL: the job has none. */
	const char *id;
	const char *repo;
	/* NULL: not given. */
	const char *branch;
	const char *commit;
	/* With its submodules, with its files of Git LFS. */
	bool has_submodules;
	bool has_lfs;
	/* Names of stages; none: all. */
	struct job_texts stages;
	/* NAME=VALUE. */
	struct job_texts environment;
	/* Sorted, each once. */
	struct job_texts labels;
	/* Keys that are not known. */
	struct job_texts unknown;
	/* What was read; for job_format(). */
	struct cJSON *tree;
};

/*
 * Read a job.
 *
 * *job is given also where the job is bad, with what could be read of it: its id, if
 * it has one. Ownership: the caller frees *job with job_free(). Limits: JOB_MAX_BYTES.
 * Fails with BR_EINPUT for what is no job, saying why.
 */
bool job_parse(
	struct br_str text, struct job **job, struct br_err *err) BR_MUST_CHECK;

/* Free a job, which may be NULL. */
void job_free(struct job *job);

static inline void job_clean(struct job **slot)
{
	job_free(*slot);
}

/* Add the job as JSON with `id` as its id, and all its other keys. */
void job_format(const struct job *job, const char *id, struct br_buf *text);

/* Say whether `label` can be one: it becomes part of a queue's name. */
bool job_is_label(const char *label);

/* A job is a few lines; one with 64 stages and variables a few KiB. */
enum { JOB_MAX_BYTES = 1024 * 1024 };
