/* SPDX-License-Identifier: MIT */
/*
 * products.h - who has changed a file while a build ran: the user, or the build?
 *
 * Nobody says. But what the user changes is changed once, and what a build writes is
 * written by each build. So a file that has another content than before counts as
 * the user's at first, and starts one more build. It is a product, which starts
 * none any more, when that build writes it again and nothing else comes of it; or
 * when builds have started each other and nobody has changed a file in between. New
 * names in each build make their folder one for new files. A file that is
 * changed while no build runs is the user's again.
 */
#pragma once

#include <stdbool.h>

#include "watch/batch.h"
#include "watch/stamp.h"

/* So many builds may be started by what changed in the one before, one after another. */
enum { BR_PRODUCTS_CHAIN = 2 };

struct br_product {
	bool has_stamp;
	struct br_stamp stamp;
	/* It has started the build that runs, or ran last. */
	bool is_suspect;
	bool is_product;
};

/* Starts out all zero. Private, except that callers allocate it. */
struct br_products {
	/* Files as `path`, folders for new files as `path/`. */
	struct br_path_index index;
	struct br_product *items;
	size_t capacity;
	/* How many builds were started by the one before. */
	unsigned chain;
	/* Builds change more than can be told. */
	bool is_more;
};

/* Take note that the user has changed these files below `top`: a build starts. */
void br_products_note(struct br_products *products, const char *top,
	const struct br_batch *batch);

/*
 * Leave in `batch`, which is of what changed while a build ran, what the next build
 * is to be started for. `found` gets what is a product from now on.
 */
void br_products_judge(struct br_products *products, const char *top,
	struct br_batch *batch, struct br_paths *found);

/* Forget all: other files are ignored now. */
void br_products_done(struct br_products *products);
