/* SPDX-License-Identifier: MIT */
/* request.h - from the command line of `buildr submit` to a job. */
#pragma once

#include <stdbool.h>

#include "agent/job.h"
#include "base/attr.h"
#include "base/err.h"
#include "cmd/options/options.h"

/*
 * Make the job that the options describe, with an id (but for --everywhere, where
 * each agent makes one).
 *
 * Ownership: the caller frees *job with job_free(), also after a failure. Fails with
 * BR_EINPUT for what no agent would take.
 */
bool request_make(const struct options *options, struct br_buf *text,
	struct job **job, struct br_err *err) BR_MUST_CHECK;
