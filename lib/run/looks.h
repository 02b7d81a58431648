/* SPDX-License-Identifier: MIT */
/*
 * looks.h - what images are, found out before any container is made of them.
 *
 * The identity of a stage has the digest of its image, so that of a build that speaks to
 * the engine at all the images of its cached stages are looked at first, and pulled where
 * that is to be. All at once, each by a child (starter.h).
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "plan/plan.h"
#include "run/emit.h"
#include "run/run.h"
#include "run/starter.h"

/* Told when it is known what an image is; `digest` is NULL where it cannot be. */
typedef void br_look_fn(void *ctx, const char *image, const char *digest);

/* Borrowed. */
struct br_looks_options {
	const struct br_plan *plan;
	const struct br_run_options *run;
	struct br_emitter *emitter;
	void *ctx;
	br_look_fn *seen;
};

struct br_look {
	const char *image;
	/* It goes on. */
	bool is_open;
	/* The engine has it, which was told. */
	bool is_there;
	struct br_starter starter;
};

/* Starts out all zero, then br_looks_init(). Private. */
struct br_looks {
	struct br_looks_options options;
	struct br_look *items;
	size_t count;
	size_t capacity;
};

/* Begin with no look. Ownership: br_looks_done(). */
void br_looks_init(
	struct br_looks *looks, const struct br_looks_options *options);

/* End those that go on, and free. */
void br_looks_done(struct br_looks *looks);

/*
 * Look at an image, unless it was looked at before. `seen` is called by br_looks_work(),
 * and where no child can be started at once.
 */
void br_looks_open(struct br_looks *looks, const char *image);

/* Say whether a look at this image goes on; NULL: at any. */
bool br_looks_are_open(const struct br_looks *looks, const char *image);

/* Say whether a look has told that the engine has this image. */
bool br_looks_have(const struct br_looks *looks, const char *image);

/* Give how many slots br_looks_poll() fills. */
size_t br_looks_poll_count(const struct br_looks *looks);

/* Fill in what to poll. */
void br_looks_poll(const struct br_looks *looks, struct pollfd *waits);

/* Do what can be done after poll(). */
void br_looks_work(struct br_looks *looks);
