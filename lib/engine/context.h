/* SPDX-License-Identifier: MIT */
/*
 * context.h - docker contexts: engines that were given a name.
 *
 * A context `x` is the file contexts/meta/<SHA-256 of x>/meta.json in docker's
 * configuration folder; its certificates are in contexts/tls/<SHA-256 of x>/docker.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Starts out all zero. */
struct br_context {
	/* As DOCKER_HOST would have it. */
	char *host;
	/* Where certificates would be; need not exist. */
	char *tls_folder;
	bool skips_verify;
};

/* Free what `context` holds. */
void br_context_done(struct br_context *context);

static inline void br_clean_context(struct br_context *context)
{
	br_context_done(context);
}

#define br_autocontext __attribute__((cleanup(br_clean_context)))

/*
 * Say which context is in use: DOCKER_CONTEXT, else what config.json names. NULL
 * where there is none, or it is `default`; a config.json that cannot be read names
 * none.
 *
 * Ownership: the caller frees the name with free().
 */
char *br_context_current(void);

/*
 * Load the context `name`.
 *
 * Ownership: the caller frees the contents with br_context_done(). Fails with
 * BR_EINPUT where there is none, or it has no engine's address.
 */
bool br_context_load(const char *name, struct br_context *context,
	struct br_err *err) BR_MUST_CHECK;
