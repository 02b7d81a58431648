/* SPDX-License-Identifier: MIT */
#include "run/verdict.h"

static bool is_among(const uint8_t *statuses, size_t count, int64_t status)
{
	for (size_t i = 0; i < count; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

bool br_verdict_is_allowed(
	const struct br_plan_stage *stage, const struct br_attempt_end *end)
{
	const struct br_allow_failure *allow = &stage->allow_failure;

	return end->result == BR_RESULT_FAIL &&
		(allow->is_any ||
			is_among(allow->statuses, allow->status_count,
				end->status));
}

bool br_verdict_wants_retry(const struct br_plan_stage *stage,
	const struct br_attempt_end *end, unsigned attempt)
{
	const struct br_retry *retry = &stage->retry;

	if (attempt > retry->max ||
		(end->result != BR_RESULT_FAIL &&
			end->result != BR_RESULT_ERROR))
		return false;
	if (!retry->has_conditions)
		return true;
	if (end->reason == BR_REASON_TIMEOUT)
		return retry->on_timeout;
	if (end->reason == BR_REASON_ENGINE)
		return retry->on_engine;
	return is_among(retry->statuses, retry->status_count, end->status);
}
