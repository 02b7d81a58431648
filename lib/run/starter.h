/* SPDX-License-Identifier: MIT */
/*
 * starter.h - the child that speaks to the engine until a container runs.
 *
 * Calls of the engine block, and a build has better things to do than to wait for
 * a pull: other stages run meanwhile, and a request to stop must be heard. So each
 * container is brought up by a child process, which says how far it is in messages
 * on a socket. It dies with its parent and when the parent no longer listens; what
 * it made until then has the build's label, for the janitor.
 *
 * Which wire works with this engine is found by trying: where it does not see the
 * private folder, or no connection comes from the container, stdio is next.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/child.h"
#include "base/err.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "run/prepared.h"
#include "run/run.h"

/* Where a container is, beside others; all zero: alone, in the plan's network. */
struct br_starter_place {
	/* A service: neither project nor limits are for it. */
	bool is_service;
	/* Make this network before all else; NULL: none is to be made. */
	const char *new_network;
	/* As in struct br_container_spec. */
	const char *network;
	const char *alias;
	const char *second_network;
	const char *const *extra_hosts;
	/* It is created, but not started before br_starter_go_on(). */
	bool is_held;
};

/* Borrowed for the call of br_starter_open(). */
struct br_starter_options {
	struct br_engine *engine;
	const struct br_plan *plan;
	const char *image;
	enum br_pull pull;
	/* Values of the labels. */
	const char *build;
	const char *owner;
	/* The private folder, which is there; project is the path to mount. */
	const char *private_dir;
	const char *project_dir;
	enum br_wire_kind wire;
	const struct br_starter_place *place;
	/* Only have the image there, and say what it is. */
	bool is_image_only;
	/*
	 * Make the container from what `prepare` has left in another build, where that is
	 * kept: the folder of the stage cache. NULL: from the image.
	 */
	const char *prepared_store;
	/* As in struct br_prepared_options. */
	const char *repo;
	/* Only keep what `prepare` has left; all else but `engine` is unused. */
	const struct br_prepared_save *save;
	/* As in struct br_container_spec, and so the new network. */
	bool may_stay;
};

enum br_starter_type {
	/* The new network is there. */
	BR_STARTER_NETWORK,
	/* Of a service, before IMAGE: a word of what its image runs. */
	BR_STARTER_WORD,
	/* A pull goes on: `done` of `total` bytes, -1 where unknown. */
	BR_STARTER_PULLING,
	/* The engine has the image. */
	BR_STARTER_IMAGE,
	/* Of one with `prepared_store`, before CREATED: what it is made from. */
	BR_STARTER_PREPARED,
	/* The container is there, not yet started. */
	BR_STARTER_CREATED,
	/*
	 * It will talk over its stdin and stdout. The child waits for
	 * br_starter_go_on() before it starts the container: who attaches later
	 * misses what was said before.
	 */
	BR_STARTER_ATTACH,
	/* It was started. */
	BR_STARTER_STARTED,
	/* What `save` says is kept: there is no other message. */
	BR_STARTER_SAVED,
	/* It cannot be; nothing is left of it but what the label finds. */
	BR_STARTER_FAILED,
};

/* What the words of an image are of. */
enum br_words {
	BR_WORDS_ENTRYPOINT,
	BR_WORDS_COMMAND,
	BR_WORDS_HEALTH,
};
enum { BR_WORDS_KINDS = 3 };

/* A message as it is on the socket: both ends are the same program. */
struct br_starter_message {
	enum br_starter_type type;
	/* Of WORD. */
	enum br_words words;
	char word[4096];
	int64_t done;
	int64_t total;
	/* Of CREATED: the container's id. */
	char id[80];
	/* Of IMAGE. */
	char digest[128];
	char user[256];
	char workdir[1024];
	int64_t health_interval_ms;
	double seconds;
	/* Of PREPARED. */
	struct br_prepared prepared;
	/* Of FAILED. */
	struct br_err err;
};

/* A child at work. Starts out by br_starter_open(). */
struct br_starter {
	/* Its fd is to be polled for POLLIN. */
	struct br_child child;
};

#define BR_STARTER_NONE ((struct br_starter){ .child = { .fd = -1 } })

/*
 * Fork the child.
 *
 * Ownership: br_starter_close(). Fails with BR_ESYSTEM.
 */
bool br_starter_open(const struct br_starter_options *options,
	struct br_starter *starter, struct br_err *err) BR_MUST_CHECK;

/*
 * Take the next message, without waiting; *is_there says whether one came.
 *
 * Fails with BR_EUNAVAIL where the child has ended without a word.
 */
bool br_starter_read(struct br_starter *starter,
	struct br_starter_message *message, bool *is_there,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Let the child start its container: the answer to BR_STARTER_ATTACH, and what one
 * that is held waits for. Once, where both are so. `is_attached` says that the
 * container is attached to: over stdio nothing else will do. Fails with BR_ESYSTEM.
 */
bool br_starter_go_on(const struct br_starter *starter, bool is_attached,
	struct br_err *err) BR_MUST_CHECK;

/* End the child, if need be by force. May be called twice. */
void br_starter_close(struct br_starter *starter);
