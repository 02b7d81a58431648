/* SPDX-License-Identifier: MIT */
/* color.h - the few colours of the views, and whether there are any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "event/event.h"

enum br_color {
	BR_COLOR_BOLD,
	BR_COLOR_DIM,
	BR_COLOR_RED,
	BR_COLOR_GREEN,
	BR_COLOR_YELLOW,
};

/* Begin a colour; nothing where `has_color` is false. */
void br_color_start(struct br_buf *text, bool has_color, enum br_color color);

/* End whatever was begun; nothing where `has_color` is false. */
void br_color_end(struct br_buf *text, bool has_color);

/* Begin the colour of the `index`-th stage. */
void br_color_start_stage(struct br_buf *text, bool has_color, size_t index);

/* Give the colour in which a result is shown. */
enum br_color br_color_of_result(enum br_result result);
