/* SPDX-License-Identifier: MIT */
/*
 * container.h - a container whose buildr-init talks to us.
 *
 * Opening one returns at once: a child process (starter.h) speaks to the engine
 * while the owner's loop goes on, polls what br_container_poll() names and calls
 * br_container_work(). The container is up as soon as its buildr-init has
 * connected, which is a little before the engine says that it has started. Events
 * of image and container are made here.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "run/emit.h"
#include "run/run.h"
#include "run/starter.h"
#include "session/private.h"
#include "session/session.h"

/* Borrowed until br_container_close(), but for `handlers`, which are copied. */
struct br_container_options {
	struct br_engine *engine;
	const struct br_plan *plan;
	const char *image;
	enum br_pull pull;
	/* Values of the labels. */
	const char *build;
	const char *owner;
	/* Where the private folder is to be: br_private_path(). */
	const char *private_path;
	enum br_wire_kind wire;
	struct br_emitter *emitter;
	struct br_session_handlers handlers;
};

/* Starts out all zero, then br_container_open(). */
struct br_container {
	/* buildr-init runs and the connection to it stands. */
	bool is_up;
	/* NULL until there is a connection. */
	struct br_session *session;
	/* USER of the image; NULL until it is known. */
	char *user;
	char *id;

	/* Private. */
	struct br_container_options options;
	struct br_private private;
	struct br_starter starter;
	/* The engine has said that it was started. */
	bool has_started;
	int64_t opened_us;
};

enum { BR_CONTAINER_FDS = 3 };

/*
 * Begin to bring the container up.
 *
 * Ownership: br_container_close(), also after a failure. Fails with BR_ESYSTEM or,
 * where buildr-init is not found, with BR_ENOTFOUND.
 */
bool br_container_open(const struct br_container_options *options,
	struct br_container *container, struct br_err *err) BR_MUST_CHECK;

/* Fill in what to poll; slots that are not needed get the descriptor -1. */
void br_container_poll(const struct br_container *container,
	struct pollfd waits[BR_CONTAINER_FDS]);

/*
 * Do what can be done after poll() has filled in `revents`.
 *
 * Fails as the calls of the engine and the session do.
 */
bool br_container_work(struct br_container *container,
	const struct pollfd waits[BR_CONTAINER_FDS],
	struct br_err *err) BR_MUST_CHECK;

/*
 * Have buildr-init give files back and end, and wait for it, at most
 * `timeout_ms`. Only for a container that is up. Fails as br_session_end().
 */
bool br_container_end(struct br_container *container, int64_t timeout_ms,
	struct br_err *err) BR_MUST_CHECK;

/* Close the connection, which ends the container. May be called twice. */
void br_container_close(struct br_container *container);
