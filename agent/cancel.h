/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - stopping a build from afar.
 *
 * Where an agent has the build's claim it is told to stop, and reports. Where none has,
 * the job may still wait in a queue, of which nothing can be taken out: so the claim
 * is taken here, and the build reported as cancelled. The agent that gets the job later
 * finds the report and only acknowledges.
 */
#pragma once

#include <stdbool.h>

#include "agent/farm.h"
#include "base/attr.h"
#include "base/err.h"

enum cancel_end {
	/* No agent had it; it is reported as cancelled now. */
	CANCEL_REPORTED,
	/* The agent that has it is told: its report will come. */
	CANCEL_ASKED,
	/* There is a report of it already. */
	CANCEL_LATE,
};

/* How often to ask again: an agent may have died, and another have the build. */
enum { CANCEL_AGAIN_MS = 2000 };

/*
 * Cancel `build`. May be called again: an agent heeds the first one.
 *
 * Fails as farm_publish().
 */
bool cancel_build(struct farm *farm, const char *build, enum cancel_end *end,
	struct br_err *err) BR_MUST_CHECK;
