/* SPDX-License-Identifier: MIT */
/* stage.h - a stage, `prepare` and `defaults`: one set of keys in three places. */
#pragma once

#include "manifest/read.h"

enum br_stage_kind {
	BR_STAGE_KIND_STAGE,
	BR_STAGE_KIND_PREPARE,
	BR_STAGE_KIND_DEFAULTS,
};

/*
 * Read the value of `entry`, a mapping, into `stage`, which holds what the stage
 * starts from. Gives false, with a mistake, where the value is no mapping.
 */
bool br_stage_read(struct br_reader *reader, const struct br_entry *entry,
	enum br_stage_kind kind, struct br_stage *stage);

/* Say whether `name` is a key that some stage may have. */
bool br_stage_has_key(const char *name);

/*
 * Check the name of a stage: 1 to BR_LIMIT_STAGE_NAME_BYTES bytes without blanks,
 * control characters and `/`; not `.` or `..`; no `-` in front. The mistake, if
 * there is one, stands at `place`.
 */
bool br_stage_check_name(
	struct br_reader *reader, struct br_place place, const char *name);
