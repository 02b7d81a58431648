/* SPDX-License-Identifier: MIT */
/*
 * last_run.h - why a stage ran the last time, and what became of its result: for `why`.
 *
 * It stands beside what the stage was (history.h), in `stages/PROJECT/STAGE.run`, line by
 * line: `buildr-run 1`; when the stage was looked at before, in ns since 1970; `none`,
 * `stored` or `refused`, of its result; why it was refused; why the stage ran, where nothing
 * differed; and then `KIND INGREDIENT NAME` for each ingredient that did. What is text has the
 * escapes of a record.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cache/record.h"

struct br_store;

enum br_last_run_result {
	/* It failed, was stopped, or still runs. */
	BR_LAST_RUN_NO_RESULT,
	BR_LAST_RUN_STORED,
	/* It passed, and its result could not be stored. */
	BR_LAST_RUN_REFUSED,
};

/* Starts out all zero; br_last_run_done() frees it. */
struct br_last_run {
	/* When it was written, in ns since 1970: at the end of a run that has passed. */
	int64_t written_ns;
	/* When the stage was looked at before; 0: never. */
	int64_t since_ns;
	enum br_last_run_result result;
	/* Why it was refused, and why the stage ran; NULL: nothing to say. */
	char *refusal;
	char *cause;
	/* As they are in the file: br_last_run_add(), br_last_run_each(). */
	struct br_buf differences;
};

/* Add a difference to the `struct br_last_run` at `ctx`: a br_difference_fn. */
void br_last_run_add(void *ctx, const struct br_difference *difference);

/* Tell `fn` each difference, in the order in which they were added. */
void br_last_run_each(
	const struct br_last_run *last_run, br_difference_fn *fn, void *ctx);

/* Remember why a stage ran, in place of why it did before. Fails with BR_ESYSTEM. */
bool br_last_run_save(struct br_store *store, const char *project_dir,
	const char *stage, const struct br_last_run *last_run,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Find why a stage ran the last time; false: that is not known.
 *
 * Ownership: the caller ends with br_last_run_done().
 */
bool br_last_run_load(const struct br_store *store, const char *project_dir,
	const char *stage, struct br_last_run *last_run);

/* Free what it has. It may be used again. */
void br_last_run_done(struct br_last_run *last_run);

static inline void br_clean_last_run(struct br_last_run *last_run)
{
	br_last_run_done(last_run);
}

#define br_autolastrun __attribute__((cleanup(br_clean_last_run)))
