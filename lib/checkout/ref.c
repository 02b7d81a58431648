/* SPDX-License-Identifier: MIT */
#include "checkout/ref.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/utf8.h"
#include "checkout/address.h"

enum {
	/* git itself takes four digits, but that is no name for long. */
	COMMIT_MIN_LEN = 7,
	COMMIT_MAX_LEN = 64,
	/* A name that is none is not shown in full. */
	SHOWN_BYTES = 100,
};

/* Rules 1, 3, 6 and the like of git-check-ref-format(1) for one component. */
static bool is_component(const char *text, size_t len)
{
	static const char lock[] = ".lock";
	size_t lock_len = strlen(lock);

	return len > 0 && text[0] != '.' &&
		(len < lock_len ||
			memcmp(text + len - lock_len, lock, lock_len) != 0);
}

static bool has_good_components(const char *name)
{
	const char *at = name;

	for (;;) {
		size_t len = strcspn(at, "/");

		if (!is_component(at, len))
			return false;
		if (at[len] == '\0')
			return true;
		at += len + 1;
	}
}

static bool has_good_characters(const char *name)
{
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at <= ' ' || strchr("~^:?*[\\\x7f", *at))
			return false;
	return br_utf8_is_valid(name, strlen(name));
}

static bool is_good(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= BR_LIMIT_BRANCH_BYTES && name[0] != '-' &&
		strcmp(name, "@") != 0 && strcmp(name, "HEAD") != 0 &&
		!strstr(name, "..") && !strstr(name, "@{") &&
		name[len - 1] != '.' && has_good_characters(name) &&
		has_good_components(name);
}

static bool fail_name(const char *text, struct br_err *err)
{
	br_autobuf struct br_buf shown = { 0 };
	size_t len = 0;

	br_address_add_shown(&shown, text);
	len = br_utf8_valid_len(
		shown.data, shown.len < SHOWN_BYTES ? shown.len : SHOWN_BYTES);
	return br_fail(err, BR_EINPUT, "branch '%.*s%s' is none that git takes",
		(int)len, br_buf_text(&shown), len < shown.len ? "..." : "");
}

bool br_ref_parse(const char *text, struct br_ref *ref, struct br_err *err)
{
	static const char heads[] = "refs/heads/";
	static const char tags[] = "refs/tags/";
	struct br_ref parsed = { BR_REF_ANY, text };

	if (!text || text[0] == '\0') {
		*ref = (struct br_ref){ BR_REF_HEAD, NULL };
		return true;
	}
	if (br_has_prefix(text, heads))
		parsed = (struct br_ref){ BR_REF_BRANCH, text + strlen(heads) };
	else if (br_has_prefix(text, tags))
		parsed = (struct br_ref){ BR_REF_TAG, text + strlen(tags) };
	if (!is_good(parsed.name))
		return fail_name(text, err);
	*ref = parsed;
	return true;
}

bool br_ref_check_commit(const char *text, struct br_err *err)
{
	size_t len = 0;

	while (isxdigit((unsigned char)text[len]))
		len++;
	return (text[len] == '\0' && len >= COMMIT_MIN_LEN &&
		       len <= COMMIT_MAX_LEN) ||
		br_fail(err, BR_EINPUT, "commit '%.100s' is not in hexadecimal",
			text);
}
