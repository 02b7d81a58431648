/* SPDX-License-Identifier: MIT */
/*
 * only.h - some stages of a build, for a view that then knows of no others.
 *
 * It stands in front of a view. What the whole build is told of is left out, but for
 * notices, build.started and build.finished, which name only these stages.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "event/sink.h"

/*
 * Say whether `wanted` means `stage`: the same name, that of a matrix which the stage is of,
 * or a pattern of glob(7).
 */
bool br_only_matches(const char *wanted, const char *stage);

/*
 * Hand on to `view` what is of the stages that `names` mean.
 *
 * Ownership: takes `view`; the caller frees the sink with br_view_free(). The names are
 * borrowed until then.
 */
struct br_sink *br_only_new(
	struct br_sink *view, const struct br_names *names) BR_NONNULL_RESULT;
