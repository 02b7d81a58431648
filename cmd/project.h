/* SPDX-License-Identifier: MIT */
/* project.h - from the options to a plan, mistakes printed. */
#pragma once

#include "cmd/options/options.h"
#include "plan/plan.h"

/*
 * Read the manifest and build the plan; mistakes and warnings go to stderr.
 *
 * Gives the exit status to end with, or STATUS_PASS with *plan. Ownership: the
 * caller frees *plan with br_plan_free().
 */
int project_plan(const struct options *options, struct br_plan **plan);

/*
 * Find the project's directory, whatever is in the manifest. Where there is none, it is the
 * one that -C names.
 *
 * Ownership: the caller frees *folder with free(). Fails with BR_EINPUT where there is no
 * such directory, and with BR_ESYSTEM.
 */
bool project_find(const struct options *options, char **folder,
	struct br_err *err) BR_MUST_CHECK;
