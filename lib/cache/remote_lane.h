/* SPDX-License-Identifier: MIT */
/*
 * remote_lane.h - one process that works with a remote cache, one result at a time, and what
 * waits for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/child.h"
#include "base/err.h"
#include "cache/hash.h"
#include "cache/remote_place.h"

enum br_lane_answer {
	BR_LANE_THERE,
	BR_LANE_MISSING,
	BR_LANE_FAILED,
};

/* What its process says of one result. */
struct br_lane_message {
	enum br_lane_answer answer;
	/* Of BR_LANE_FAILED. */
	struct br_err err;
};

/* Starts out all zero, but for `fd`, which is -1 then. */
struct br_lane {
	/* Borrowed. */
	const struct br_remote_place *place;
	const char *store_folder;
	bool is_push;
	/* BR_CHILD_NONE before it has something to do. */
	struct br_child child;
	/* Waiting; the first one is being worked on where `is_asked`. */
	uint8_t (*identities)[BR_HASH_BYTES];
	size_t count;
	size_t capacity;
	bool is_asked;
};

/*
 * Add a result to do; br_lane_ask() begins it.
 */
void br_lane_add(struct br_lane *lane, const uint8_t identity[BR_HASH_BYTES]);

/*
 * Have the first one worked on, unless one is, by a process that is made where there is none;
 * its descriptor is in `child` then. Fails with BR_ESYSTEM.
 */
bool br_lane_ask(struct br_lane *lane, struct br_err *err) BR_MUST_CHECK;

/*
 * Take what the process says of the first one, without waiting, and take that off. False:
 * it has said nothing yet. A process that is gone has failed.
 */
bool br_lane_hear(struct br_lane *lane, uint8_t identity[BR_HASH_BYTES],
	struct br_lane_message *message);

/* Say whether its process has ended with nothing to do. */
bool br_lane_is_lost(const struct br_lane *lane);

/* End its process, and forget what waits. */
void br_lane_close(struct br_lane *lane);
