/* SPDX-License-Identifier: MIT */
/* record.h - two records of a stage's ingredients (key.h), and what differs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Add `name` as a record has it: control characters, DEL and `\\` as octal digits. */
void br_record_escape(const char *name, struct br_buf *text);

/* Take the text up to `end` off `rest`, and `end` with it; false: there is no `end`. */
bool br_record_take(struct br_str *rest, char end, struct br_str *taken);

/* Add what `name` was before its escapes. */
void br_record_unescape(const char *name, struct br_buf *text);

enum br_difference_kind {
	BR_DIFFERENCE_ADDED,
	BR_DIFFERENCE_REMOVED,
	BR_DIFFERENCE_CHANGED,
	/* Of a file: only its permission bits. */
	BR_DIFFERENCE_MODE,
};

/* Give its name, for files and JSON: `added`, `removed`, `changed` or `mode`. Static. */
const char *br_difference_kind_name(
	enum br_difference_kind kind) BR_NONNULL_RESULT;

/* Find the kind of that name; false: there is none. */
bool br_difference_kind_find(struct br_str name, enum br_difference_kind *kind);

/* Borrowed for the call, from the records. */
struct br_difference {
	enum br_difference_kind kind;
	/* As br_ingredient_name() has it: `variable`. */
	struct br_str ingredient;
	/* With the escapes of a record. */
	struct br_str name;
};

/* Takes one difference. */
typedef void br_difference_fn(
	void *ctx, const struct br_difference *difference);

/*
 * Tell `fn` each ingredient that differs between two records, in their order.
 *
 * Fails with BR_EINPUT where one is no record, or of another version: `fn` may have been
 * called then, and the stage runs again for that reason.
 */
bool br_record_compare(struct br_str before, struct br_str after,
	br_difference_fn *fn, void *ctx, struct br_err *err) BR_MUST_CHECK;
