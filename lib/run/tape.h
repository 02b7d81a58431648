/* SPDX-License-Identifier: MIT */
/*
 * tape.h - what the steps of a stage said, kept so that it can be said again.
 *
 * A tape is the events of the steps of one attempt, as JSON lines (event/json.h), and is
 * stored with the stage's result. When it is played, the names that the stage has now
 * take the place of those of then: a result may be another stage's, or another project's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "event/event.h"
#include "plan/plan.h"
#include "run/emit.h"

/* Starts out by br_tape_open(), or as BR_TAPE_CLOSED. */
struct br_tape {
	/* A file without a name; -1: nothing is recorded. */
	int fd;
	int64_t size_bytes;
	/* What is not in the file yet. */
	struct br_buf lines;
	/* Why it is not whole: too long, or it could not be written. */
	struct br_err failure;
};

#define BR_TAPE_CLOSED ((struct br_tape){ .fd = -1 })

/*
 * Start to record, in a file on the file system of `folder`. That it cannot be made,
 * br_tape_flush() will say.
 *
 * Ownership: br_tape_close().
 */
void br_tape_open(const char *folder, struct br_tape *tape);

/*
 * Record an event; others than of steps are passed over. Limits:
 * BR_LIMIT_STORED_LOG_BYTES.
 */
void br_tape_add(struct br_tape *tape, const struct br_event *event);

/* Write what is kept back. Fails, saying why, for one that is not whole. */
bool br_tape_flush(struct br_tape *tape, struct br_err *err) BR_MUST_CHECK;

/* Forget what was recorded. May be called twice. */
void br_tape_close(struct br_tape *tape);

/*
 * Emit what a tape has, as of `stage`. What cannot be read is left out, and what has become
 * a secret since then is masked.
 */
void br_tape_play(struct br_str tape, const struct br_plan_stage *stage,
	struct br_emitter *emitter);
