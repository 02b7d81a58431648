/* SPDX-License-Identifier: MIT */
/* verdict.h - what the end of an attempt means, as the manifest has it. */
#pragma once

#include <stdbool.h>

#include "plan/plan.h"
#include "run/attempt.h"

/* Whether it is a failure that `allow_failure` lets pass. */
bool br_verdict_is_allowed(
	const struct br_plan_stage *stage, const struct br_attempt_end *end);

/*
 * Whether `retry` wants another attempt after the attempt with number `attempt`. One
 * that passed or was cancelled is never tried again.
 */
bool br_verdict_wants_retry(const struct br_plan_stage *stage,
	const struct br_attempt_end *end, unsigned attempt);
