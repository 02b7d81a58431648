/* SPDX-License-Identifier: MIT */
/*
 * board.h - many builds at once: a line for each build that starts, stage that ends,
 * and build that ends, with its agent's name.
 */
#pragma once

#include "base/attr.h"
#include "event/sink.h"

/*
 * Make the sink, which takes events of any builds and writes to `fd`.
 *
 * Ownership: the caller frees it with board_free(). Limits: of builds that have not
 * ended the names of BOARD_AGENTS_MAX agents are known.
 */
struct br_sink *board_new(int fd) BR_NONNULL_RESULT;

/* Free it; it may be NULL. */
void board_free(struct br_sink *sink);

enum { BOARD_AGENTS_MAX = 4096 };
