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
	/* Where the private folder is to be: its parent is there. */
	const char *private_path;
	enum br_wire_kind wire;
	struct br_starter_place place;
	/* It may outlive the build. */
	bool may_stay;
	/* Another container of the build has told of its image. */
	bool is_image_told;
	/* As in struct br_starter_options. */
	const char *prepared_store;
	const char *repo;
	struct br_emitter *emitter;
	struct br_session_handlers handlers;
};

/* What an image runs by itself, as a service does. */
struct br_container_words {
	/* NULL-terminated once the image is ready; NULL: none. Owned. */
	char **items;
	size_t count;
	size_t capacity;
};

/* Starts out as BR_CONTAINER_CLOSED, then br_container_open(). */
struct br_container {
	/* buildr-init runs and the connection to it stands. */
	bool is_up;
	/* NULL until there is a connection. */
	struct br_session *session;
	/* The engine has the image. */
	bool is_image_ready;
	/* place.new_network is there. */
	bool is_network_made;
	/* What the image is; NULL until it is known. */
	char *digest;
	/* USER and WORKDIR of the image; NULL until they are known. */
	char *user;
	char *workdir;
	/* Of a service, by enum br_words. */
	struct br_container_words words[BR_WORDS_KINDS];
	int64_t health_interval_ms;
	char *id;
	/* What it was made from; known before it is up. */
	struct br_prepared prepared;
	/* br_container_save() has come to its end; `save_err` has why it is in vain. */
	bool is_save_over;
	struct br_err save_err;

	/* Private. */
	struct br_container_options options;
	struct br_private private;
	struct br_starter starter;
	/* At work for br_container_save(). */
	struct br_starter saver;
	/* It may not be started yet; and it has said what it waits for. */
	bool is_held;
	bool is_attached;
	/* The engine has said that it was started. */
	bool has_started;
	/* Since when it is to end, in monotonic ms; 0: it is not. */
	int64_t ending_ms;
	int64_t opened_us;
};

/* What it is before it is opened, and after it was closed. */
#define BR_CONTAINER_CLOSED \
	(struct br_container) \
	{ \
		.private = { .listen_fd = -1 }, .starter = BR_STARTER_NONE, \
		.saver = BR_STARTER_NONE, \
	}

enum { BR_CONTAINER_FDS = 4 };

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
 * Have a container started that was opened with place.is_held: before that it is
 * created, and its image pulled. Fails with BR_ESYSTEM.
 */
bool br_container_go_on(
	struct br_container *container, struct br_err *err) BR_MUST_CHECK;

/*
 * Have what `prepare` has left kept. Does not wait: br_container_work() goes on until
 * is_save_over. Once, and only for a container that is up. Fails with BR_ESYSTEM.
 */
bool br_container_save(
	struct br_container *container, struct br_err *err) BR_MUST_CHECK;

/* Keep nothing: whoever wanted it does no more. */
void br_container_drop_save(struct br_container *container);

/* How a container comes to its end. */
enum br_container_end {
	/* It gives files back first. */
	BR_CONTAINER_GIVES_BACK,
	/* It leaves files alone: another one gives them back. */
	BR_CONTAINER_LEAVES,
	/* It gives files back, and stays with what runs in it. */
	BR_CONTAINER_STAYS,
};

/*
 * Have buildr-init do what it does at the end. Does not wait: br_container_work()
 * goes on until br_container_has_ended(). Only for a container that is up.
 */
void br_container_end(
	struct br_container *container, enum br_container_end how);

/*
 * Say whether it has ended: buildr-init has said so, and the engine what became of
 * its start, or has had time enough to say it.
 */
bool br_container_has_ended(const struct br_container *container);

/* Close the connection, which ends the container. May be called twice. */
void br_container_close(struct br_container *container);
