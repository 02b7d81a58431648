/* SPDX-License-Identifier: MIT */
/*
 * login.h - the credentials of a registry, in the form that the engine takes.
 *
 * A pull is never held up by what is wrong with credentials: it goes on without,
 * and the reason is kept for the case that it fails.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"

/* Starts out all zero. */
struct br_credentials {
	/* Value of X-Registry-Auth; NULL: none are known. */
	char *header;
	/* Why none are known though some should be; NULL: nothing is wrong. */
	char *problem;
};

/* Free what `credentials` holds, and wipe the secrets. */
void br_credentials_done(struct br_credentials *credentials);

static inline void br_clean_credentials(struct br_credentials *credentials)
{
	br_credentials_done(credentials);
}

#define br_autocredentials __attribute__((cleanup(br_clean_credentials)))

/*
 * Look up the credentials of `registry` (`docker.io`, `host:port`) in docker's
 * config.json, asking a credential helper where that says so, for 30 seconds at
 * most, and not after `cancel_fd` (-1: none) is readable.
 *
 * Ownership: the caller frees the contents with br_credentials_done().
 */
void br_credentials_find(const char *registry, int cancel_fd,
	struct br_credentials *credentials);

/*
 * Read what a helper has answered to `get` into `login`.
 *
 * Fails with BR_EPROTO where it is not `{"Username": …, "Secret": …}`.
 */
bool br_login_parse(struct br_str answer, struct br_login *login,
	struct br_err *err) BR_MUST_CHECK;

/* Add the value of X-Registry-Auth: JSON in base64url with padding. */
void br_login_encode(const struct br_login *login, const char *registry,
	struct br_buf *header);
