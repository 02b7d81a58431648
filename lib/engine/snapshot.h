/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - images of a container's state.
 *
 * These are the calls of their names in engine.h; how each fails is said there.
 *
 * A snapshot is known by its name, `buildr-prepare:<tag>`, and the label
 * `io.buildr.prepare` together: what somebody else builds from one inherits its labels,
 * and what somebody tags as he likes has none.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/http.h"

struct br_buf;
struct cJSON;

#define BR_SNAPSHOT_REPOSITORY "buildr-prepare"

/* Labels: what it is the state of, and when it is to go (seconds since 1970). */
#define BR_SNAPSHOT_LABEL "io.buildr.prepare"
#define BR_SNAPSHOT_EXPIRES_LABEL "io.buildr.expires"

/* Make an image of a container. */
bool br_snapshot_save(struct br_http *http, const struct br_snapshot_spec *spec,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Add to `json` the settings that a snapshot is to have: those of `config`, which are
 * its image's, with labels.
 */
void br_snapshot_encode(const struct br_snapshot_spec *spec,
	const struct cJSON *config, struct br_buf *json);

/* List the snapshots that there are. */
bool br_snapshot_list(struct br_http *http, struct br_snapshots *snapshots,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read the engine's list of images that have the label.
 *
 * Ownership: br_snapshots_done(). Fails with BR_EPROTO where it is none.
 */
bool br_snapshot_parse(struct br_str text, struct br_snapshots *snapshots,
	struct br_err *err) BR_MUST_CHECK;

/* Remove one by its name. */
bool br_snapshot_remove(struct br_http *http, const char *name, bool *is_gone,
	struct br_err *err) BR_MUST_CHECK;
