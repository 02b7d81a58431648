/* SPDX-License-Identifier: MIT */
#include "session/numbers.h"

enum { STATUS_MAX = 255 };

static uint64_t *find_number(struct br_numbers *numbers, uint8_t tag)
{
	switch (tag) {
	case BR_TAG_VERSION:
		return &numbers->version;
	case BR_TAG_STEP_NUMBER:
		return &numbers->step;
	case BR_TAG_STATUS:
		return &numbers->status;
	case BR_TAG_WALL_US:
		return &numbers->wall_us;
	case BR_TAG_CPU_US:
		return &numbers->cpu_us;
	case BR_TAG_MAX_RSS:
		return &numbers->max_rss;
	case BR_TAG_IS_OOM:
		return &numbers->is_oom;
	case BR_TAG_IS_SIGNAL:
		return &numbers->is_signal;
	case BR_TAG_FAILURE_KIND:
		return &numbers->failure_kind;
	case BR_TAG_COUNT:
		return &numbers->count;
	default:
		return NULL;
	}
}

bool br_numbers_decode(
	const uint8_t *data, size_t len, struct br_numbers *numbers)
{
	const uint8_t *at = data;
	struct br_numbers made = { 0 };
	struct br_field field;
	bool is_bad;

	while (br_field_next(&at, data + len, &field, &is_bad)) {
		uint64_t *number = find_number(&made, field.tag);

		if (field.tag == BR_TAG_FAILURE)
			made.failure = (struct br_str){
				.data = (const char *)field.value,
				.len = field.len,
			};
		if (number &&
			(!br_field_number(&field, number) ||
				*number > INT64_MAX))
			return false;
	}
	if (is_bad || made.status > STATUS_MAX)
		return false;
	*numbers = made;
	return true;
}
