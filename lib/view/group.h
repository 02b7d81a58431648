/* SPDX-License-Identifier: MIT */
/*
 * group.h - each stage as a block, as if no two stages ever ran at once.
 *
 * Stands in front of another view and hands it the events of a stage in one go and in
 * their order, when the stage has ended. All other events pass at once. An attempt is a
 * block of its own. Where people wait and watch, the stage that has run longest need not
 * wait for its end: its events pass as they come.
 */
#pragma once

#include "event/sink.h"

enum br_group_order {
	/* Every stage when it ends. */
	BR_GROUP_ENDED,
	/* The oldest one as it runs; the others when they end, between its events. */
	BR_GROUP_OLDEST,
	/*
	 * The oldest one as it runs; those that end meanwhile wait for its end, so
	 * that each block is in one piece.
	 */
	BR_GROUP_WHOLE,
};

/*
 * Make one in front of `view`.
 *
 * Ownership: takes `view`; the caller frees the sink with br_view_free(). What is
 * put aside goes to a file where it is much (spool.h); where that takes no more,
 * the stage is shown as it runs.
 */
struct br_sink *br_group_new(struct br_sink *view, enum br_group_order order);
