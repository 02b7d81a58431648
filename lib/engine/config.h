/* SPDX-License-Identifier: MIT */
/*
 * config.h - docker's config.json, as far as it knows who may pull where.
 *
 * For a registry it has either a login (`auths`), or the name of a helper program
 * that has it (`credHelpers`, `credsStore`); login.h asks that one. With a helper
 * for all registries what `auths` says counts for nothing, as with docker.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/str.h"

struct br_config;

/* How to log in. Starts out all zero; NULL members are not known. */
struct br_login {
	char *username;
	char *password;
	/* Instead of a password, where the registry gave one. */
	char *identity_token;
	char *registry_token;
	/* `x` of `docker-credential-x`, which has to be asked. */
	char *helper;
};

/* Free what `login` holds, and wipe the secrets. */
void br_login_done(struct br_login *login);

static inline void br_clean_login(struct br_login *login)
{
	br_login_done(login);
}

#define br_autologin __attribute__((cleanup(br_clean_login)))

/*
 * Give docker's configuration folder: DOCKER_CONFIG, else ~/.docker; NULL where
 * neither it nor HOME is set.
 *
 * Ownership: the caller frees it with free().
 */
char *br_config_folder(void);

/*
 * Read the text of a config.json.
 *
 * Ownership: the caller frees *config with br_config_free(). Fails with BR_EPROTO
 * where it is not a JSON object.
 */
bool br_config_parse(struct br_str text, struct br_config **config,
	struct br_err *err) BR_MUST_CHECK;

/* Free `config`, which may be NULL. */
void br_config_free(struct br_config *config);

BR_DEFINE_AUTO(br_config)

/*
 * Give the name that docker has for a registry in config.json and towards helpers:
 * `https://index.docker.io/v1/` for `docker.io`, else the registry itself.
 */
const char *br_config_key(const char *registry) BR_NONNULL_RESULT;

/*
 * Find the login for `registry` (`docker.io`, `host:port`); all members stay NULL
 * where there is none.
 *
 * Ownership: the caller frees the contents with br_login_done(). Fails with
 * BR_EINPUT where an entry is there but broken; the text holds no secret.
 */
bool br_config_find(const struct br_config *config, const char *registry,
	struct br_login *login, struct br_err *err) BR_MUST_CHECK;

/* Takes the name of a registry, borrowed for the call. */
typedef void br_config_fn(void *ctx, const char *registry);

/*
 * Call `fn` for each registry that has an entry, `docker.io` and `host:port`; for one that
 * has several more than once.
 */
void br_config_each(
	const struct br_config *config, br_config_fn *fn, void *ctx);
