/* SPDX-License-Identifier: MIT */
/*
 * reuse.h - what the stage cache's findings mean for a stage: it need not run, it runs, it
 * has failed after all. Between caching.h, which knows of no runs, and stages.h.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "run/attempt.h"
#include "run/caching.h"

struct br_host;
struct br_stages;

/* Give what hears of the findings. */
struct br_caching_handlers br_reuse_handlers(struct br_stages *stages);

/*
 * The container of a stage is there. Gives true for `prepare` where it was made from what
 * that has left before: then it has ended, as cached.
 */
bool br_reuse_prepared(struct br_stage_run *run);

/* What `prepare` has left in this container is kept, or cannot be. */
void br_reuse_saved(struct br_stages *stages, struct br_host *host);

/*
 * The steps of a stage have passed: look at its outputs, and store them. Gives false where
 * there is nothing to look at: it has passed at once.
 */
bool br_reuse_keep(struct br_stage_run *run);
