/* SPDX-License-Identifier: MIT */
/*
 * secrets.h - the names that `secrets` lists, and every value they have.
 *
 * A name may have values at several levels and in several stages, and one that is
 * overridden is no less secret: all of them are gathered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "manifest/manifest.h"

struct br_secret {
	const char *name;
	/* Where `secrets` lists it. */
	struct br_place place;
	/* Some level or stage defines it or passes it on. */
	bool is_mentioned;
	/* A mistake with it has been told. */
	bool is_reported;
	/* A value is longer than BR_LIMIT_SECRET_BYTES. */
	bool is_too_long;
};

/* Starts out all zero, then br_secrets_init(). Private. */
struct br_secrets {
	/* Sorted by name. In the arena. */
	struct br_secret *items;
	size_t count;
	/* Borrowed from whoever gave them. */
	struct br_str *values;
	size_t value_count;
	size_t value_capacity;
};

/* Take the names; they are borrowed. Ownership: free with br_secrets_done(). */
void br_secrets_init(struct br_secrets *secrets, const struct br_texts *names,
	struct br_arena *arena);

/* Free what is not in the arena. */
void br_secrets_done(struct br_secrets *secrets);

/* Find a secret by its name; NULL: `name` is none. Borrowed. */
struct br_secret *br_secrets_find(
	const struct br_secrets *secrets, const char *name);

/* Add a value of `secret`. It is borrowed; an empty one is left out. */
void br_secrets_add(struct br_secrets *secrets, struct br_secret *secret,
	const char *value);

/* Report those that nothing mentions, and values that are too long. */
void br_secrets_check(struct br_secrets *secrets, struct br_diags *diags);

/*
 * Give the values, longest first, without duplicates. Ownership: copies in
 * `arena`.
 */
void br_secrets_list(struct br_secrets *secrets, struct br_arena *arena,
	struct br_str **values, size_t *count);
