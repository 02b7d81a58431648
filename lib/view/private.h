/* SPDX-License-Identifier: MIT */
/* private.h - what all views have in common. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "view/view.h"

/* Embedded first in each view. */
struct br_view {
	struct br_sink sink;
	/* Write what is kept back and free the whole view. */
	void (*free)(struct br_view *view);
	/* May be NULL: take away what is only shown while the build runs. */
	void (*hide)(struct br_view *view);
	/* May be NULL, for one that says nothing meanwhile. */
	void (*pause)(struct br_view *view, bool is_paused);
};

/*
 * Write `text` to stdout, which is `fd`, and empty it.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_view_write_out(
	int fd, struct br_buf *text, struct br_err *err) BR_MUST_CHECK;

/*
 * Write `text` to stderr and empty it. A stderr that cannot be written to stops
 * no build: there is nobody to tell, and the build does not need it. Only where it
 * is stdout as well (`2>&1 | head`) is that a failure.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_view_write_err(const struct br_view_options *options,
	struct br_buf *text, struct br_err *err) BR_MUST_CHECK;

/* Say whether stdout and stderr are one file, pipe or terminal. */
bool br_view_is_one_file(const struct br_view_options *options);
