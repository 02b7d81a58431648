/* SPDX-License-Identifier: MIT */
#include "engine/reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/str.h"

enum {
	/* As the engine has it: the whole name, and a tag. */
	NAME_MAX_BYTES = 255,
	TAG_MAX_BYTES = 128,
	SHA256_HEX_LEN = 64,
};

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* Say whether the `len` bytes at `text` are all in `set` or `more`. */
static bool is_of(
	const char *text, size_t len, const char *set, const char *more)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(set, text[i]) && !strchr(more, text[i]))
			return false;
	return true;
}

static bool is_digest(const char *text)
{
	static const char prefix[] = "sha256:";
	const char *hex = text + sizeof(prefix) - 1;

	return br_has_prefix(text, prefix) && strlen(hex) == SHA256_HEX_LEN &&
		is_of(hex, SHA256_HEX_LEN, "0123456789abcdef", "");
}

static bool is_tag(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= TAG_MAX_BYTES && text[0] != '.' &&
		text[0] != '-' &&
		strspn(text,
			"abcdefghijklmnopqrstuvwxyz0123456789"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") == len;
}

/* One part of a path: letters and digits at both ends. */
static bool is_part(const char *part, size_t len)
{
	return len > 0 && is_of(part, len, lower, "._-") &&
		is_of(part, 1, lower, "") &&
		is_of(part + len - 1, 1, lower, "");
}

static bool is_path(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (!is_part(path, len))
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

/* How much of `name` is a registry, without the slash; 0: none of it. */
static size_t registry_len(const char *name)
{
	size_t len = strcspn(name, "/");

	if (name[len] == '\0')
		return 0;
	if (memchr(name, '.', len) || memchr(name, ':', len) ||
		(len == strlen("localhost") &&
			!strncmp(name, "localhost", len)))
		return len;
	return 0;
}

static bool is_registry(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t host_len = colon ? (size_t)(colon - text) : len;
	size_t port_len = len - host_len;

	/* An IPv6 address stands in brackets and is left to the engine. */
	if (text[0] == '[')
		return is_of(text, len, lower, "[]:");
	return is_part(text, host_len) &&
		(!colon ||
			(port_len > 1 &&
				is_of(colon + 1, port_len - 1, "0123456789",
					"")));
}

static bool is_hub(const char *registry, size_t len)
{
	return len == 0 ||
		br_str_is((struct br_str){ registry, len }, "docker.io") ||
		br_str_is((struct br_str){ registry, len }, "index.docker.io");
}

/* Fill in the registry and the full name of `name`. */
static bool locate(
	const char *text, struct br_reference *parsed, struct br_err *err)
{
	const char *name = parsed->name;
	size_t len = registry_len(name);
	const char *path = len > 0 ? name + len + 1 : name;
	br_autofree char *host = br_memdup(name, len);

	for (char *at = host; *at != '\0'; at++) {
		const char *capital = strchr(upper, *at);

		if (capital)
			*at = lower[capital - upper];
	}
	if (len > 0 && !is_registry(host, len))
		return br_fail(err, BR_EINPUT,
			"'%s' is no image name: '%s' is no registry", text,
			host);
	if (strpbrk(path, upper))
		return br_fail(err, BR_EINPUT,
			"'%s' is no image name: it must be in lower case",
			text);
	if (!is_path(path) || strlen(name) > NAME_MAX_BYTES)
		return br_fail(err, BR_EINPUT, "'%s' is no image name", text);

	bool hub = is_hub(host, len);
	parsed->registry = br_strdup(hub ? "docker.io" : host);
	parsed->full_name = br_format("%s/%s%s", parsed->registry,
		hub && !strchr(path, '/') ? "library/" : "", path);
	return true;
}

/* Cut tag and digest off; what is left is the name. */
static bool split(
	const char *text, struct br_reference *parsed, struct br_err *err)
{
	parsed->name = br_strdup(text);

	char *at = strchr(parsed->name, '@');
	if (at)
		*at = '\0';
	char *slash = strrchr(parsed->name, '/');
	char *colon = strchr(slash ? slash : parsed->name, ':');
	if (colon)
		*colon = '\0';

	if (at && !is_digest(at + 1))
		return br_fail(err, BR_EINPUT,
			"'%s' is no image name: '%s' is no sha256 digest", text,
			at + 1);
	if (colon && !is_tag(colon + 1))
		return br_fail(err, BR_EINPUT,
			"'%s' is no image name: '%s' is no tag", text,
			colon + 1);
	/* With both, the engine looks at the digest alone. */
	parsed->has_digest = at != NULL;
	if (at)
		parsed->tag = br_strdup(at + 1);
	else
		parsed->tag = br_strdup(colon ? colon + 1 : "latest");
	return true;
}

static bool parse(
	const char *text, struct br_reference *parsed, struct br_err *err)
{
	if (is_digest(text)) {
		parsed->is_id = true;
		parsed->name = br_strdup(text);
		parsed->tag = br_strdup(text);
		parsed->text = br_strdup(text);
		parsed->registry = br_strdup("");
		parsed->full_name = br_strdup("");
		return true;
	}
	if (!split(text, parsed, err) || !locate(text, parsed, err))
		return false;
	parsed->text = br_format("%s%c%s", parsed->name,
		parsed->has_digest ? '@' : ':', parsed->tag);
	return true;
}

bool br_reference_parse(
	const char *text, struct br_reference *reference, struct br_err *err)
{
	br_autoreference struct br_reference parsed = { 0 };

	if (!parse(text, &parsed, err))
		return false;
	*reference = parsed;
	parsed = (struct br_reference){ 0 };
	return true;
}

void br_reference_done(struct br_reference *reference)
{
	free(reference->name);
	free(reference->tag);
	free(reference->text);
	free(reference->registry);
	free(reference->full_name);
	*reference = (struct br_reference){ 0 };
}
