/* SPDX-License-Identifier: MIT */
/*
 * steps.h - the steps of a stage, one after the other.
 *
 *	STARTING ─▶ RUNNING ─▶ LEAVING ─▶ DRAINING ─▶ next step, or OVER
 *
 * LEAVING waits for processes that have to be gone before the step counts as
 * over: those of a stage that is stopped, and the shell after a failed exec form.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "init/stage.h"

/* Give the step that the stage is at. */
static inline const struct step_spec *steps_current(const struct stage *stage)
{
	return &stage->spec.steps[stage->step];
}

/* Begin it, or end the stage where there is none any more. */
void steps_begin(struct stage *stage);

/* Its process is there: what it uses counts from here. */
void steps_run(struct stage *stage);

/* Hear what the shell says: which step it is at, and so which one is over. */
void steps_listen(struct stage *stage);

/* Its process has ended, or the shell says that the step has. */
void steps_end(struct stage *stage, int status, bool is_signal);

/* All output of the step is on its way: tell its end, and go on. */
void steps_finish(struct stage *stage);
