/* SPDX-License-Identifier: MIT */
/*
 * keep.h - what stays of a build that has failed (--keep).
 *
 * The container of each stage that failed, its services, and the container whose
 * network it shares are marked when the stage has ended, are not released then, and go
 * on without us when the build ends. Their buildr-init stays as the main process, which
 * ends at a SIGTERM; a label says that they may be there without an owner.
 */
#pragma once

#include "run/stages.h"

/* Keep what the stage ran in, as far as it is up. */
void br_keep_mark(const struct br_stage_run *run);

/* Say as notices what was kept, how to enter it, and how to remove it. */
void br_keep_tell(
	struct br_stages *stages, const struct br_run_options *options);
