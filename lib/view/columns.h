/* SPDX-License-Identifier: MIT */
/*
 * columns.h - how many columns text takes on a terminal, and text cut to fit.
 *
 * The widths are those of the C library's wcwidth(), asked in a locale of our own,
 * so that neither the caller's locale nor the rest of the program matters. Where the
 * terminal has no Unicode, each character that is not ASCII is shown as `?`.
 */
#pragma once

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct br_columns {
	bool has_unicode;
	/* 0: the C library has none for UTF-8; whatever is not ASCII is wide then. */
	locale_t locale;
};

/* Begin. */
void br_columns_init(struct br_columns *columns, bool has_unicode);

/* Free it. */
void br_columns_done(struct br_columns *columns);

/*
 * Count the columns of `text`, which has no control characters; a tab counts as
 * the space that br_columns_add() makes of it.
 */
size_t br_columns_count(const struct br_columns *columns, struct br_str text);

/*
 * Add the text, or as much of it as fits into `room` columns, with an ellipsis for the
 * rest. Gives how many columns that took.
 */
size_t br_columns_add(const struct br_columns *columns, struct br_buf *line,
	struct br_str text, size_t room);

/* Add spaces. */
void br_columns_add_spaces(struct br_buf *line, size_t count);
