/* SPDX-License-Identifier: MIT */
/*
 * wait.h - `--wait`: builds as they go, until all have ended or nobody wants to see.
 *
 * One build is shown in the ordinary views; of a new try the view begins anew. Many are
 * shown on a board. Ctrl-C asks on the terminal whether to cancel; a second one, or one
 * without a terminal, leaves the builds to themselves.
 */
#pragma once

#include "agent/builds.h"
#include "agent/farm.h"
#include "base/attr.h"
#include "cmd/options/options.h"

/*
 * Show `builds`, whose events the farm is subscribed to.
 *
 * Gives the exit status: the worst of the builds, or 128 and the signal, or 3 where
 * the broker is lost or stdout is closed; what is to be said is printed.
 */
int wait_for(const struct options *options, struct farm *farm,
	struct builds *builds, bool is_board);
