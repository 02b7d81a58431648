/* SPDX-License-Identifier: MIT */
/* try_wire.h - whether containers can be spoken to, found out with one. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "run/run.h"

/*
 * Run a build of one step in `image`, which the engine has, over `wire`, and see whether
 * its container comes up; the step does nothing. The container has the folder `project`, as
 * one of a build would, or, where it is NULL, an empty one.
 *
 * Limits: half a minute. Fails with BR_EUNAVAIL and what the build said, and BR_ESYSTEM.
 */
bool try_wire(struct br_engine *engine, const char *image, const char *project,
	enum br_wire_kind wire, struct br_err *err) BR_MUST_CHECK;
