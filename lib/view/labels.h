/* SPDX-License-Identifier: MIT */
/*
 * labels.h - stages' names as they stand in front of lines of output.
 *
 * All that a build.started lists are of one width. A name that is too long for it
 * is cut in its middle, since the stages of a matrix begin alike and differ at the
 * end; where two would look the same then, both stay whole.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "event/event.h"

/* Characters; of longer names the middle is left out. */
enum { BR_LABEL_COLUMNS = 30 };

struct br_label {
	char *stage;
	/* What is shown. */
	char *text;
	/* The place in build.started. */
	size_t index;
};

/* Starts out all zero. Private, except that callers allocate it. */
struct br_labels {
	/* Sorted by the stages' names. */
	struct br_label *items;
	size_t count;
	/* Of the longest label, without those that stayed whole. */
	size_t columns;
};

/* Make the labels of all stages of a build. */
void br_labels_set(struct br_labels *labels, const struct br_names *names);

/* Free them; may be set again. */
void br_labels_done(struct br_labels *labels);

/* Find a stage's label, borrowed until they are set again; NULL: none. */
const struct br_label *br_labels_find(
	const struct br_labels *labels, const char *stage);

/* Add what a name looks like that was not listed. */
void br_labels_add_short(struct br_buf *text, const char *stage);
