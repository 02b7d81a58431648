/* SPDX-License-Identifier: MIT */
/* report.h - what buildr is told of a stage: the frames of its start and end. */
#pragma once

#include "init/stage.h"

/* Say that the step that the stage is at has started. */
void report_step_started(const struct stage *stage);

/* Say how it ended, and what it used. */
void report_step_finished(const struct stage *stage);

/* Say how the stage ended: `failure` where it could not be run, else NULL. */
void report_stage_finished(const struct stage *stage, int status,
	const char *failure, enum br_failure_kind kind);
