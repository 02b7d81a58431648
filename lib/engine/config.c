/* SPDX-License-Identifier: MIT */
#include "engine/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/file.h"
#include "engine/json.h"

/* What Docker Hub is called in config.json since its first version. */
#define HUB_KEY "https://index.docker.io/v1/"

struct br_config {
	struct cJSON *root;
};

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void br_login_done(struct br_login *login)
{
	free(login->username);
	wipe(login->password);
	wipe(login->identity_token);
	wipe(login->registry_token);
	free(login->helper);
	*login = (struct br_login){ 0 };
}

char *br_config_folder(void)
{
	const char *named = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");

	if (named && named[0] != '\0')
		return br_strdup(named);
	if (!home || home[0] == '\0')
		return NULL;
	return br_path_join(home, ".docker");
}

bool br_config_parse(
	struct br_str text, struct br_config **config, struct br_err *err)
{
	struct cJSON *root = NULL;

	if (!br_json_parse(text, &root, err))
		return false;
	if (!br_json_is_object(root)) {
		br_json_free(root);
		return br_fail(err, BR_EPROTO, "not a JSON object");
	}
	*config = br_alloc(sizeof(**config));
	(*config)->root = root;
	return true;
}

void br_config_free(struct br_config *config)
{
	if (!config)
		return;
	br_json_free(config->root);
	free(config);
}

const char *br_config_key(const char *registry)
{
	return !strcmp(registry, "docker.io") ? HUB_KEY : registry;
}

/* The host in a key that may be an address: `https://host:5000/v1/`. */
static struct br_str host_of(const char *key)
{
	const char *scheme = strstr(key, "://");
	const char *host = scheme ? scheme + strlen("://") : key;

	return (struct br_str){ host, strcspn(host, "/") };
}

static bool is_same_registry(const char *key, const char *registry)
{
	struct br_str host = host_of(key);

	if (br_str_is(host, registry))
		return true;
	return !strcmp(registry, "docker.io") &&
		br_str_is(host, "index.docker.io");
}

/* The member of `table` for `registry`: exactly as docker names it, else alike. */
static const struct cJSON *find_entry(
	const struct cJSON *table, const char *registry)
{
	const struct cJSON *exact =
		br_json_find(table, br_config_key(registry));

	if (exact || !br_json_is_object(table))
		return exact;
	for (const struct cJSON *entry = br_json_first(table); entry;
		entry = br_json_next(entry))
		if (is_same_registry(br_json_name(entry), registry))
			return entry;
	return NULL;
}

/* A copy, or NULL where `text` is empty. */
static char *copy_unless_empty(const char *text)
{
	return text[0] != '\0' ? br_strdup(text) : NULL;
}

/* `auth` is base64 of `user:password`; the password may hold colons. */
static bool decode_auth(
	const char *auth, struct br_login *login, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_err why = { 0 };

	if (!br_base64_decode(auth, strlen(auth), &text, &why))
		return br_fail(err, BR_EINPUT, "'auth' is %s", why.text);

	char *colon = text.len > 0 ? strchr(text.data, ':') : NULL;
	if (!colon)
		return br_fail(err, BR_EINPUT,
			"'auth' is not base64 of user:password");
	login->username = br_memdup(text.data, (size_t)(colon - text.data));
	login->password = br_strdup(colon + 1);
	explicit_bzero(text.data, text.len);
	return true;
}

static bool read_entry(
	const struct cJSON *entry, struct br_login *login, struct br_err *err)
{
	const char *auth = br_json_find_text(entry, "auth");

	if (auth[0] != '\0') {
		if (!decode_auth(auth, login, err))
			return false;
	} else {
		login->username =
			copy_unless_empty(br_json_find_text(entry, "username"));
		login->password =
			copy_unless_empty(br_json_find_text(entry, "password"));
	}
	login->identity_token =
		copy_unless_empty(br_json_find_text(entry, "identitytoken"));
	login->registry_token =
		copy_unless_empty(br_json_find_text(entry, "registrytoken"));
	return true;
}

/* The helper for `registry`; "" where none is to be asked. */
static const char *find_helper(const struct cJSON *root, const char *registry)
{
	const struct cJSON *own =
		find_entry(br_json_find(root, "credHelpers"), registry);

	return own ? br_json_text(own) : br_json_find_text(root, "credsStore");
}

bool br_config_find(const struct br_config *config, const char *registry,
	struct br_login *login, struct br_err *err)
{
	br_autologin struct br_login found = { 0 };
	const char *helper = find_helper(config->root, registry);

	if (helper[0] != '\0') {
		/* The name becomes part of a program's: no path, no blank. */
		if (strpbrk(helper, "/ \t\r\n"))
			return br_fail(err, BR_EINPUT,
				"'%.100s' is no name of a credential helper",
				helper);
		found.helper = br_strdup(helper);
	} else if (!read_entry(find_entry(br_json_find(config->root, "auths"),
				       registry),
			   &found, err)) {
		return br_wrap(err, "the entry of %s", registry);
	}
	*login = found;
	found = (struct br_login){ 0 };
	return true;
}

void br_config_each(const struct br_config *config, br_config_fn *fn, void *ctx)
{
	static const char *const tables[] = { "auths", "credHelpers" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct cJSON *table =
			br_json_find(config->root, tables[i]);

		if (!br_json_is_object(table))
			continue;
		for (const struct cJSON *entry = br_json_first(table); entry;
			entry = br_json_next(entry)) {
			struct br_str host = host_of(br_json_name(entry));
			br_autofree char *name = br_memdup(host.data, host.len);

			fn(ctx,
				strcmp(name, "index.docker.io") ? name
								: "docker.io");
		}
	}
}
