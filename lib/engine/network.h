/* SPDX-License-Identifier: MIT */
/*
 * network.h - networks of builds, and what goes wrong with anybody's.
 *
 * An engine names the networks of a container when it is created (Podman) or only
 * when it is started (Docker): that one is missing is told in the same words.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/http.h"

/* What br_engine_create_network() does; see there. */
bool br_network_create(struct br_http *http, const struct br_network_spec *spec,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Connect the container `id`, which is not started, to the network `name`.
 *
 * Fails with BR_EINPUT where there is no such network and the engine says so now.
 */
bool br_network_connect(struct br_http *http, const char *name, const char *id,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Remove the network `id`, which is called `name`. One that a container is in is left,
 * which is a success with !*is_removed; what containers that are gone have left in it
 * is taken out.
 */
bool br_network_remove(struct br_http *http, const char *id, const char *name,
	bool *is_removed, struct br_err *err) BR_MUST_CHECK;

/* Say whether `message`, the engine's words, is that there is no such network. */
bool br_network_is_missing(const char *message);

/*
 * Give the name in a message that says that a network is missing; NULL where it says
 * something else.
 *
 * Ownership: the caller frees the name with free().
 */
char *br_network_find_missing(const char *message);

/* Fail with BR_EINPUT and how to make the network `name`. Returns false. */
bool br_network_fail_missing(
	const struct br_http *http, const char *name, struct br_err *err);
