/* SPDX-License-Identifier: MIT */
/*
 * container.h - a container whose buildr-init talks to us.
 *
 * Brings one up on either wire and gives the session with it. Which wire works
 * with this engine is found by trying: where it does not see the private folder,
 * or no connection comes from the container, stdio is next.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "run/run.h"
#include "session/session.h"

/* Borrowed for the call of br_container_open(). */
struct br_container_options {
	struct br_engine *engine;
	const struct br_plan *plan;
	const struct br_image *image;
	/* Values of the labels. */
	const char *build;
	const char *owner;
	/* Where the private folder is to be: br_private_path(). */
	const char *private_path;
	enum br_wire_kind wire;
	struct br_session_handlers handlers;
};

/* Starts out all zero. */
struct br_container {
	char *id;
	struct br_session *session;
};

/*
 * Create and start the container, and wait until its buildr-init has spoken.
 *
 * Ownership: br_container_close(). Fails as the calls of the engine and the
 * session do; BR_ECANCELED when the engine's cancel_fd is readable. What was made
 * until then is removed, or is the janitor's where that failed.
 */
bool br_container_open(const struct br_container_options *options,
	struct br_container *container, struct br_err *err) BR_MUST_CHECK;

/*
 * Close the connection, which ends the container. May be called twice.
 */
void br_container_close(struct br_container *container);
