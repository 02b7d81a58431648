/* SPDX-License-Identifier: MIT */
#include "engine/login.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "base/process.h"
#include "engine/json.h"

enum {
	HELPER_TIMEOUT_MS = 30 * 1000,
	/* A token is some KiB at most. */
	HELPER_MAX_BYTES = 1024 * 1024,
	/* What a shell, and br_process_run(), say of a missing program. */
	STATUS_MISSING = 127,
};

static void wipe(struct br_buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->capacity);
	br_buf_done(secret);
}

void br_credentials_done(struct br_credentials *credentials)
{
	if (credentials->header)
		explicit_bzero(
			credentials->header, strlen(credentials->header));
	free(credentials->header);
	free(credentials->problem);
	*credentials = (struct br_credentials){ 0 };
}

bool br_login_parse(
	struct br_str answer, struct br_login *login, struct br_err *err)
{
	br_autojson struct cJSON *value = NULL;

	if (!br_json_parse(answer, &value, err))
		return false;

	const char *username = br_json_find_text(value, "Username");
	const char *secret = br_json_find_text(value, "Secret");

	if (secret[0] == '\0')
		return br_fail(err, BR_EPROTO, "it has no secret");
	/* This name says that the secret is an identity token. */
	if (!strcmp(username, "<token>")) {
		login->identity_token = br_strdup(secret);
		return true;
	}
	login->username = br_strdup(username);
	login->password = br_strdup(secret);
	return true;
}

static void add_member(struct br_buf *json, const char *name, const char *value)
{
	if (!value)
		return;
	br_buf_addf(json, "%s\"%s\":", json->len > 1 ? "," : "", name);
	br_json_add_string(json, br_str(value));
}

void br_login_encode(const struct br_login *login, const char *registry,
	struct br_buf *header)
{
	struct br_buf json = { 0 };

	br_buf_add_char(&json, '{');
	add_member(&json, "username", login->username);
	add_member(&json, "password", login->password);
	add_member(&json, "identitytoken", login->identity_token);
	add_member(&json, "registrytoken", login->registry_token);
	add_member(&json, "serveraddress", br_config_key(registry));
	br_buf_add_char(&json, '}');
	br_base64_encode(BR_BASE64_URL, json.data, json.len, header);
	wipe(&json);
}

/* Ask the helper. One that says that it has nothing leaves `login` empty. */
static bool ask_helper(const char *registry, int cancel_fd,
	struct br_login *login, struct br_err *err)
{
	br_autofree char *program =
		br_format("docker-credential-%s", login->helper);
	const char *const argv[] = { program, "get", NULL };
	const struct br_process_limits limits = {
		.timeout_ms = HELPER_TIMEOUT_MS,
		.max_bytes = HELPER_MAX_BYTES,
		.cancel_fd = cancel_fd,
	};
	struct br_process_result result = { 0 };
	struct br_buf answer = { 0 };
	bool is_good = true;

	if (!br_process_run_within(argv, br_config_key(registry), &limits,
		    &answer, &result, err)) {
		is_good = false;
	} else if (result.status == STATUS_MISSING) {
		is_good = br_fail(
			err, BR_ENOTFOUND, "'%s' is not installed", program);
	} else if (result.status != 0) {
		/* Helpers word it alike: "credentials not found in …". */
		if (!strstr(br_buf_text(&answer), "credentials not found"))
			is_good = br_fail(err, BR_EPROTO,
				"'%s' ended with status %d", program,
				result.status);
	} else if (!br_login_parse(br_buf_str(&answer), login, err)) {
		is_good = br_wrap(err, "the answer of '%s'", program);
	}
	wipe(&answer);
	return is_good;
}

static bool is_empty(const struct br_login *login)
{
	return !login->username && !login->password && !login->identity_token &&
		!login->registry_token;
}

static bool find_login(const char *path, const char *registry, int cancel_fd,
	struct br_login *login, struct br_err *err)
{
	struct br_buf text = { 0 };
	br_auto(br_config) struct br_config *config = NULL;
	bool is_parsed =
		br_file_load(path, BR_LIMIT_DOCKER_CONFIG_BYTES, &text, err) &&
		br_config_parse(br_buf_str(&text), &config, err);

	wipe(&text);
	/* No file is no fault: nobody has logged in. */
	if (!is_parsed)
		return err->code == BR_ENOTFOUND;
	if (!br_config_find(config, registry, login, err))
		return false;
	return !login->helper || ask_helper(registry, cancel_fd, login, err);
}

void br_credentials_find(
	const char *registry, int cancel_fd, struct br_credentials *credentials)
{
	br_autologin struct br_login login = { 0 };
	br_autofree char *folder = br_config_folder();
	struct br_err err = { 0 };

	if (!folder)
		return;

	br_autofree char *path = br_path_join(folder, "config.json");
	if (!find_login(path, registry, cancel_fd, &login, &err)) {
		credentials->problem =
			br_format("credentials for %s were not used: %s%s%s",
				registry, strstr(err.text, path) ? "" : path,
				strstr(err.text, path) ? "" : ": ", err.text);
		return;
	}
	if (is_empty(&login))
		return;

	struct br_buf header = { 0 };
	br_login_encode(&login, registry, &header);
	credentials->header = br_buf_take(&header);
}
