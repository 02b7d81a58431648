/* SPDX-License-Identifier: MIT */
/*
 * folds.h - the marks by which the logs of CI systems fold a stage's lines up.
 *
 * Only for lines that stand together: what is folded must be in one piece
 * (BR_GROUP_WHOLE).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "event/event.h"
#include "view/view.h"

/*
 * Add the mark that stands before what is said of `event`, or nothing: a stage begins, or
 * with Buildkite the end of the build, which is never folded.
 */
void br_folds_begin(
	enum br_folds folds, const struct br_event *event, struct br_buf *text);

/* Add the mark that stands behind what is said of `event`, or nothing. */
void br_folds_end(
	enum br_folds folds, const struct br_event *event, struct br_buf *text);

/*
 * Say whether the marks go to stdout: TeamCity reads them there. The others read both
 * streams, and there they go where buildr says all else.
 */
bool br_folds_are_for_stdout(enum br_folds folds);
