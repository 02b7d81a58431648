/* SPDX-License-Identifier: MIT */
/*
 * emit.h - the events of a run, without its secrets.
 *
 * Every event goes through br_emit(), which masks each text in it by the
 * descriptor table; only output is masked before, since a secret may be cut over
 * two pieces of it. A sink that fails is remembered, not reported to every maker
 * of an event: the run looks at has_failed.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/mask.h"
#include "event/bus.h"

struct br_tape;

struct br_emitter {
	/* Borrowed. */
	struct br_bus *bus;
	/* Owned; NULL where there are no secrets. */
	struct br_mask *mask;
	/* A sink has failed; the first cause is in `failure`. */
	bool has_failed;
	struct br_err failure;
};

/* Emit `event`. */
void br_emit(struct br_emitter *emitter, struct br_event *event);

/* Emit `event`, and record it as it was handed on. */
void br_emit_taped(struct br_emitter *emitter, struct br_tape *tape,
	struct br_event *event);

/* Emit a notice. */
void br_emit_notice(struct br_emitter *emitter, enum br_level level,
	const char *fmt, ...) BR_PRINTF(3, 4);

/* Have the sinks write what they keep back. */
void br_emit_flush(struct br_emitter *emitter);

/* Tick the sinks whose time has come. */
void br_emit_tick(struct br_emitter *emitter);
