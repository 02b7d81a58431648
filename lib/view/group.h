/* SPDX-License-Identifier: MIT */
/*
 * group.h - each stage as a block, when it ends.
 *
 * Stands in front of another view and hands it the events of a stage only when the
 * stage has ended, in one go and in their order, as if no two stages ever ran at
 * once. All other events pass at once. An attempt is a block of its own.
 */
#pragma once

#include "event/sink.h"

/*
 * Make one in front of `view`.
 *
 * Ownership: takes `view`; the caller frees the sink with br_view_free(). What is
 * put aside goes to a file where it is much (spool.h); where that takes no more,
 * the stage is shown as it runs.
 */
struct br_sink *br_group_new(struct br_sink *view);
