/* SPDX-License-Identifier: MIT */
/*
 * container.h - the life of one container.
 *
 * These are the calls of their names in engine.h; how each fails is said there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/http.h"

/*
 * Add the JSON that asks for a container to `json`. `socket_path` is the engine's
 * socket, for spec->has_docker.
 *
 * Fails with BR_EINPUT where a string is not UTF-8, which JSON cannot hold.
 */
bool br_container_encode(const struct br_container_spec *spec,
	const char *socket_path, struct br_buf *json,
	struct br_err *err) BR_MUST_CHECK;

/* Say whether its network is another container's, names and all. */
bool br_container_is_joined(const struct br_container_spec *spec);

/* Add the contract's labels to `json`, as the member `Labels` of an object. */
void br_labels_encode(const char *build, const char *project_label,
	const char *owner, bool may_stay, struct br_buf *json);

/*
 * Create a container. `*number` makes its name, `buildr-<build>-<number>`, and is
 * counted up; numbers that are taken are skipped. One that cannot be connected to its
 * second network is removed again.
 *
 * Ownership: the caller frees *id with free().
 */
bool br_container_create(struct br_http *http,
	const struct br_container_spec *spec, unsigned *number, char **id,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read the engine's answer to the wish for a container: its id, of hexadecimal digits.
 *
 * Ownership: the caller frees *id with free(). Fails with BR_EPROTO where it has none.
 */
bool br_container_id_parse(
	struct br_str text, char **id, struct br_err *err) BR_MUST_CHECK;

/* Put a file into a container that was not started. */
bool br_container_copy_in(struct br_http *http, const char *id,
	const char *path, const void *data, size_t len,
	struct br_err *err) BR_MUST_CHECK;

/* Start a container. */
bool br_container_start(
	struct br_http *http, const char *id, struct br_err *err) BR_MUST_CHECK;

/* Look at a container. */
bool br_container_inspect(struct br_http *http, const char *id,
	struct br_container_state *state, struct br_err *err) BR_MUST_CHECK;

/* Read the engine's description of a container. Fails with BR_EPROTO. */
bool br_container_state_parse(struct br_str text,
	struct br_container_state *state, struct br_err *err) BR_MUST_CHECK;

/* What came of a request to remove a container. */
enum br_removal {
	/* Also where somebody else is at it, which is as good. */
	BR_REMOVAL_DONE,
	/* There was none. */
	BR_REMOVAL_MISSING,
	/* It runs, and was not to be killed. */
	BR_REMOVAL_REFUSED,
};

/*
 * Remove a container; one that runs only if `is_forced`. The engine decides: one that
 * was started since it was looked at runs.
 */
bool br_container_try_remove(struct br_http *http, const char *id,
	bool is_forced, enum br_removal *removal,
	struct br_err *err) BR_MUST_CHECK;

/* Kill and remove a container. One that is not there is a success. */
bool br_container_remove(
	struct br_http *http, const char *id, struct br_err *err) BR_MUST_CHECK;
