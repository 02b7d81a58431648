/* SPDX-License-Identifier: MIT */
/* both.h - a view, and beside it something else that is made from the same events. */
#pragma once

#include "base/attr.h"
#include "event/sink.h"

/*
 * Hand each event on to `other` and then to `view`.
 *
 * Ownership: takes `view`, borrows `other`; the caller frees the sink with br_view_free().
 */
struct br_sink *br_both_new(
	struct br_sink *view, struct br_sink *other) BR_NONNULL_RESULT;
