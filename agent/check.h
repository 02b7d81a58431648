/* SPDX-License-Identifier: MIT */
/*
 * check.h - whether all that jobs take is there, and where it is not, what to do.
 *
 * It waits for what it looks at, some ten seconds for each: no loop calls it.
 */
#pragma once

#include <stdbool.h>

#include "agent/agent.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Look at everything, and add a line on each thing to `report`: `ok` or `WRONG`, its
 * name, what was found. Gives whether nothing is wrong.
 */
bool check_all(const struct agent_options *options, struct br_buf *report);

/*
 * Look at what a build takes of this machine: the engine, git, the work directory.
 *
 * Fails with the first that is wrong.
 */
bool check_machine(
	const struct agent_options *options, struct br_err *err) BR_MUST_CHECK;
