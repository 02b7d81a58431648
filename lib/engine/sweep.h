/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - removes what builds left in the engine.
 *
 * Only what carries the labels of the contract is looked at. What belongs to a
 * process that lives, or that this machine cannot judge, is never touched.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/http.h"

/* What br_engine_sweep() does; see there. */
bool br_sweep_run(struct br_http *http, const struct br_sweep *sweep,
	struct br_swept *swept, struct br_err *err) BR_MUST_CHECK;
