/* SPDX-License-Identifier: MIT */
/*
 * repo.h - the address of a repository, taken apart and found harmless.
 *
 * The rules for what is a URL, a `host:path` and a local path are those of git
 * itself, or what is checked here would not be what git does.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/sha256.h"

/* Starts out all zero. */
struct br_repo {
	/* What git gets: over HTTP without user and password. */
	char *address;
	char *protocol;
	/* `https://host:port`, for which these are; NULL: there are none. */
	char *server;
	char *user;
	/* NULL where there is only a user. */
	char *password;
	/* The name of its mirror: two users of one server share it. */
	char key[BR_SHA256_TEXT_BYTES];
};

/*
 * Take an address apart. `extra_protocols` are allowed beside https, http, ssh and
 * git; NULL-terminated; NULL: none.
 *
 * Ownership: br_repo_done(). Fails with BR_EINPUT for what is no address, could be
 * taken for an option, has a password where none can be given to git in secret, or
 * wants a protocol that is not allowed.
 */
bool br_repo_parse(const char *address, const char *const *extra_protocols,
	struct br_repo *repo, struct br_err *err) BR_MUST_CHECK;

/* Free what `repo` holds. It is empty then. */
void br_repo_done(struct br_repo *repo);

/*
 * List the protocols that are allowed as git takes them, with colons between.
 *
 * Ownership: the caller frees the list with free().
 */
char *br_repo_protocols(const char *const *extra_protocols) BR_NONNULL_RESULT;

static inline void br_clean_repo(struct br_repo *repo)
{
	br_repo_done(repo);
}

/* `br_autorepo struct br_repo repo = { 0 };` is freed at the end of its scope. */
#define br_autorepo __attribute__((cleanup(br_clean_repo)))
