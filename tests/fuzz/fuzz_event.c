/* SPDX-License-Identifier: MIT */
/*
 * Any bytes may come as an event. Where they are one, what is written of it can
 * be read again and is written the same the next time.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "event/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Gives false where `text` is no event. */
static bool rewrite(struct br_str text, struct br_buf *line)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err err = { 0 };
	bool is_event = br_event_parse(text, &arena, &event, &err);

	if (is_event)
		br_event_format(&event, line);
	else if (err.code != BR_EINPUT)
		abort();
	br_arena_done(&arena);
	return is_event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct br_str text = { .data = (const char *)data, .len = size };
	br_autobuf struct br_buf once = { 0 };
	br_autobuf struct br_buf twice = { 0 };

	if (!rewrite(text, &once) || once.len > BR_LIMIT_EVENT_BYTES)
		return 0;
	if (!rewrite(br_buf_str(&once), &twice) ||
		!br_str_equal(br_buf_str(&once), br_buf_str(&twice)))
		abort();
	return 0;
}
