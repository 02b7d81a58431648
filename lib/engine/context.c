/* SPDX-License-Identifier: MIT */
#include "engine/context.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "engine/config.h"
#include "engine/json.h"

void br_context_done(struct br_context *context)
{
	free(context->host);
	free(context->tls_folder);
	*context = (struct br_context){ 0 };
}

static bool load_json(
	const char *path, struct cJSON **value, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };

	if (!br_file_load(path, BR_LIMIT_DOCKER_CONFIG_BYTES, &text, err))
		return false;
	return br_json_parse(br_buf_str(&text), value, err) ||
		br_wrap(err, "'%s'", path);
}

/* The `currentContext` of config.json, or NULL. Owned by the caller. */
static char *configured(void)
{
	br_autofree char *folder = br_config_folder();
	br_autojson struct cJSON *config = NULL;
	struct br_err ignored = { 0 };

	if (!folder)
		return NULL;

	br_autofree char *path = br_path_join(folder, "config.json");
	if (!load_json(path, &config, &ignored))
		return NULL;
	return br_strdup(br_json_find_text(config, "currentContext"));
}

char *br_context_current(void)
{
	const char *named = getenv("DOCKER_CONTEXT");
	br_autofree char *name =
		named && named[0] != '\0' ? br_strdup(named) : configured();

	if (!name || name[0] == '\0' || !strcmp(name, "default"))
		return NULL;
	return br_take_ptr(&name);
}

static void hash_name(const char *name, char hash[BR_SHA256_TEXT_BYTES])
{
	uint8_t digest[BR_SHA256_BYTES];
	struct br_sha256 sha;

	br_sha256_init(&sha);
	br_sha256_feed(&sha, name, strlen(name));
	br_sha256_end(&sha, digest);
	br_sha256_format(digest, hash);
}

bool br_context_load(
	const char *name, struct br_context *context, struct br_err *err)
{
	char hash[BR_SHA256_TEXT_BYTES];
	br_autofree char *folder = br_config_folder();
	br_autojson struct cJSON *meta = NULL;

	if (!folder)
		return br_fail(err, BR_EINPUT,
			"neither DOCKER_CONFIG nor HOME says where contexts are");
	hash_name(name, hash);

	br_autofree char *path =
		br_format("%s/contexts/meta/%s/meta.json", folder, hash);
	struct br_err why = { 0 };
	if (!load_json(path, &meta, &why))
		return br_fail(err, BR_EINPUT, "%s", why.text);

	const struct cJSON *engine =
		br_json_find(br_json_find(meta, "Endpoints"), "docker");
	const char *host = br_json_find_text(engine, "Host");

	if (host[0] == '\0')
		return br_fail(err, BR_EINPUT,
			"'%s' has no address of an engine", path);
	context->host = br_strdup(host);
	context->tls_folder =
		br_format("%s/contexts/tls/%s/docker", folder, hash);
	context->skips_verify =
		br_json_is_true(br_json_find(engine, "SkipTLSVerify"));
	return true;
}
