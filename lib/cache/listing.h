/* SPDX-License-Identifier: MIT */
/*
 * listing.h - the files of a project that globs choose, sorted by path.
 *
 * Only folders are opened in which something may be chosen. Symbolic links are
 * listed as what they are, with their target, and never followed: what one points to
 * is chosen by its own path. `.git` is left out wherever it is, as are sockets, FIFOs
 * and devices, which have no content. Names are bytes; they need not be UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cache/file_facts.h"
#include "cache/hash.h"

struct br_globs;

/* What a restore makes its files in, at the top of a project: never listed. */
#define BR_LISTING_OWN_PREFIX ".buildr-restore-"

enum br_listed_kind {
	BR_LISTED_FILE,
	BR_LISTED_LINK,
	/* One with nothing in it; listed only where that is asked for. */
	BR_LISTED_FOLDER,
};

struct br_listed {
	/* Below the project directory. */
	const char *path;
	enum br_listed_kind kind;
	/* The permission bits, 07777; of a link 0. */
	uint32_t mode;
	/* Of a link. */
	const char *target;
	struct br_file_facts facts;
	/* Of a file, when br_hash_listing() has been there. */
	uint8_t digest[BR_HASH_BYTES];
	/* Of a stored file (sum.h); 0: it is not known. */
	uint64_t sum;
};

/* Starts out all zero. Everything in it lives in its arena, but for `items`. */
struct br_listing {
	struct br_arena arena;
	struct br_listed *items;
	size_t count;
	size_t capacity;
};

/*
 * List what `globs` choose in the folder `root_fd`; with `has_folders` also chosen
 * folders that are empty.
 *
 * What vanishes meanwhile is not listed. Limits: BR_LIMIT_LISTED_FILES (BR_EINPUT).
 * Fails with BR_ESYSTEM, naming it, where a folder in which something may be
 * chosen, or a chosen link, cannot be read.
 */
bool br_listing_find(int root_fd, struct br_globs *globs, bool has_folders,
	struct br_listing *listing, struct br_err *err) BR_MUST_CHECK;

/*
 * Add an entry for `path`, which is copied; `mode` and the rest are the caller's to set.
 * Ownership: the listing's, and good until the next one is added.
 */
struct br_listed *br_listing_add(struct br_listing *listing, const char *path,
	enum br_listed_kind kind) BR_NONNULL_RESULT;

/* Sort by path, byte by byte. */
void br_listing_sort(struct br_listing *listing);

/* Free what it has. It may be used again. */
void br_listing_done(struct br_listing *listing);

static inline void br_clean_listing(struct br_listing *listing)
{
	br_listing_done(listing);
}

/* `br_autolisting struct br_listing inputs = { 0 };` is freed with its scope. */
#define br_autolisting __attribute__((cleanup(br_clean_listing)))
