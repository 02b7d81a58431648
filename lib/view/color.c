/* SPDX-License-Identifier: MIT */
#include "view/color.h"

static const char *const codes[] = {
	[BR_COLOR_BOLD] = "\x1b[1m",
	[BR_COLOR_DIM] = "\x1b[2m",
	[BR_COLOR_RED] = "\x1b[31m",
	[BR_COLOR_GREEN] = "\x1b[32m",
	[BR_COLOR_YELLOW] = "\x1b[33m",
};

/* Not red, which is for failures, nor the blue that a dark screen swallows. */
static const char *const stage_codes[] = {
	"\x1b[36m",
	"\x1b[33m",
	"\x1b[32m",
	"\x1b[35m",
	"\x1b[94m",
	"\x1b[96m",
};

void br_color_start(struct br_buf *text, bool has_color, enum br_color color)
{
	if (has_color)
		br_buf_add_text(text, codes[color]);
}

void br_color_end(struct br_buf *text, bool has_color)
{
	if (has_color)
		br_buf_add_text(text, "\x1b[0m");
}

void br_color_start_stage(struct br_buf *text, bool has_color, size_t index)
{
	size_t count = sizeof(stage_codes) / sizeof(stage_codes[0]);

	if (has_color)
		br_buf_add_text(text, stage_codes[index % count]);
}

enum br_color br_color_of_result(enum br_result result)
{
	switch (result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
		return BR_COLOR_GREEN;
	case BR_RESULT_FAIL:
	case BR_RESULT_ERROR:
		return BR_COLOR_RED;
	case BR_RESULT_CANCELLED:
		return BR_COLOR_YELLOW;
	case BR_RESULT_SKIPPED:
		return BR_COLOR_DIM;
	}
	return BR_COLOR_DIM;
}
