/* SPDX-License-Identifier: MIT */
/*
 * screen.h - lines at the bottom of a terminal that change, below text that stays.
 *
 * Between two frames the cursor stands at the beginning of the first line that changes.
 * So all of them can be erased by erasing what is below the cursor, also where the
 * terminal has been resized meanwhile and has wrapped them anew; nothing has to
 * be known of where they are. A frame is one write(). It hides the cursor only for its own
 * time, so that whatever ends the program leaves it visible.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	/* No more lines change than that. */
	BR_SCREEN_LINES = 40,
};

/* Starts out by br_screen_init(). Private, but for the size. */
struct br_screen {
	int fd;
	/* As it was at the last look. */
	size_t columns;
	size_t rows;
	/* It was another one at the look before. */
	bool has_new_size;
	/* What stands there: a line each, without its end. */
	struct br_buf lines[BR_SCREEN_LINES];
	size_t line_count;
	/* Kept for its memory. */
	struct br_buf frame;
};

/* What a frame shows below the text: lines that are narrower than the terminal. */
struct br_screen_lines {
	struct br_buf items[BR_SCREEN_LINES];
	size_t count;
};

/* Begin on a terminal, borrowed. */
void br_screen_init(struct br_screen *screen, int fd);

/* Free it. What stands there stays. */
void br_screen_done(struct br_screen *screen);

/* Look how large the terminal is; 80 x 24 where it does not know. Says whether that is new. */
bool br_screen_look(struct br_screen *screen);

/*
 * Put `text`, whole lines or nothing, above the lines and then show these; empties
 * `text`. Without text only the lines that differ are written, unless `is_whole`.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_screen_show(struct br_screen *screen, struct br_buf *text,
	const struct br_screen_lines *lines, bool is_whole,
	struct br_err *err) BR_MUST_CHECK;
