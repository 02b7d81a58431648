/* SPDX-License-Identifier: MIT */
/*
 * transcript.h - what a live view leaves behind: all that happened, as text.
 *
 * It is what `plain` shows, but as one text for one terminal, in which output does
 * nothing to the terminal (harmless.h). The beginning of a line is kept back until its
 * end comes, since nothing but whole lines can stand above what changes.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "event/sink.h"
#include "view/failure.h"
#include "view/labels.h"
#include "view/pulls.h"
#include "view/summary.h"
#include "view/view.h"

enum {
	/* More text than this is taken away before more is added. */
	BR_TRANSCRIPT_BYTES = 256 * 1024,
	/* A longer beginning of a line is not kept back, but a line of its own. */
	BR_TRANSCRIPT_HELD_BYTES = 64 * 1024,
};

/* Starts out by br_transcript_init(). Private, but for `text` and `labels`. */
struct br_transcript {
	struct br_sink sink;
	struct br_view_options options;
	/* What was added since it was last taken away: whole lines. */
	struct br_buf text;
	struct br_labels labels;
	/* Take the text away, as there is much. Fails as `handle` of a sink does. */
	bool (*take)(void *ctx, struct br_err *err);
	void *ctx;
	struct br_transcript_stage *stages;
	/* Those that were not listed, for their colours. */
	size_t unlisted_count;
	struct br_failures failures;
	struct br_summary summary;
	struct br_pulls pulls;
	/* The last event was cache.hit. */
	bool is_after_hit;
	/* Kept for its memory. */
	struct br_buf scratch;
};

/* Begin. `options` are borrowed until br_transcript_done(). */
void br_transcript_init(struct br_transcript *transcript,
	const struct br_view_options *options);

/* End the lines that nothing can end any more. */
void br_transcript_end(struct br_transcript *transcript);

/* Free it. */
void br_transcript_done(struct br_transcript *transcript);
