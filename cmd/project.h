/* SPDX-License-Identifier: MIT */
/* project.h - from the options to a manifest and a plan, mistakes printed. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/options.h"
#include "manifest/manifest.h"
#include "plan/plan.h"

/*
 * Find and read the manifest that the options mean.
 *
 * *manifest is NULL where it has mistakes, which are in `diags`. Ownership: the
 * caller frees both. Fails as br_manifest_load() does.
 */
bool project_load(const struct options *options, struct br_manifest **manifest,
	struct br_diags *diags, struct br_err *err) BR_MUST_CHECK;

/*
 * Read the manifest and build the plan; mistakes and warnings go to stderr.
 *
 * Gives the exit status to end with, or STATUS_PASS with *plan. Ownership: the
 * caller frees *plan with br_plan_free().
 */
int project_plan(const struct options *options, struct br_plan **plan);
