/* SPDX-License-Identifier: MIT */
/*
 * json.h - events as JSON, one object on one line, and back (cJSON).
 *
 * Writing is by the descriptor table alone, so a new field needs no code here.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"

/*
 * Add `event` as one JSON object and a newline to `line`. Strings that are not
 * UTF-8 have each bad byte replaced by U+FFFD; output bytes become `base64` then.
 */
void br_event_format(const struct br_event *event, struct br_buf *line);

/*
 * Read one JSON object. Fields that the table does not know are skipped.
 *
 * Ownership: the strings of *event live in `arena`. Limits:
 * BR_LIMIT_EVENT_BYTES. Fails with BR_EINPUT where it is no such object, a field
 * is missing or of another type, a key is there twice, or `v` is not 1.
 */
bool br_event_parse(struct br_str text, struct br_arena *arena,
	struct br_event *event, struct br_err *err) BR_MUST_CHECK;
