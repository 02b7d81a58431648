/* SPDX-License-Identifier: MIT */
/*
 * region.h - what a live view shows of a build at the moment, as lines for the screen.
 *
 *	pulling postgres:16   7 s  [########--------] 12.3 MB of 45.1 MB
 *	build  12 s  2/3 $ make -j8
 *	lint    3 s  1/1 $ ./lint
 *	  | checking a.c
 *	  | checking b.c
 *	1 failed, 2 running, 5 waiting, 3 passed, 15 s
 *
 * Nothing stands at the right edge: a terminal that becomes narrower wraps what is there
 * before anybody hears of it, and may move it where it cannot be erased.
 *
 * The oldest stage's output stands above as it comes, so that only the beginning of a line
 * is shown of it; of the others the last lines, as many as there is room for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "view/board.h"
#include "view/columns.h"
#include "view/labels.h"
#include "view/screen.h"

struct br_region_options {
	const struct br_columns *columns;
	/* For the stages' names and colours. */
	const struct br_labels *labels;
	/* Of the terminal. */
	size_t width;
	size_t height;
	bool has_color;
	/* Counts on, for what turns. */
	size_t turn;
};

/*
 * Make the lines, none where the terminal is too small for any. What `lines` held is
 * overwritten.
 */
void br_region_format(const struct br_board *board,
	const struct br_region_options *options, struct br_screen_lines *lines);
