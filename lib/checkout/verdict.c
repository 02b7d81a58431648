/* SPDX-License-Identifier: MIT */
#include "checkout/verdict.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "checkout/address.h"

/* What a message has in it. */
struct sign {
	const char *text;
	enum br_code code;
};

/*
 * The first that is found counts: what is wrong here comes before what a server says,
 * and what names a cause before what only says that there is one.
 */
static const struct sign signs[] = {
	{ "No space left on device", BR_ESYSTEM },
	{ "Disk quota exceeded", BR_ESYSTEM },
	{ "Too many open files", BR_ESYSTEM },
	{ "Cannot allocate memory", BR_ESYSTEM },
	{ "out of memory", BR_ESYSTEM },
	{ "File too large", BR_EINPUT },
	/* In a work tree: git does not say why. */
	{ "unable to write file", BR_ESYSTEM },
	{ "fsck error", BR_EINPUT },
	{ "not allowed", BR_EINPUT },
	{ "strange ", BR_EINPUT },
	{ "disabled in libcurl", BR_EINPUT },
	{ "is not a git command", BR_EINPUT },
	{ "invalid path '", BR_EINPUT },
	{ "File name too long", BR_EINPUT },
	{ "no submodule mapping found", BR_EINPUT },
	{ "No url found for submodule", BR_EINPUT },
	{ "/.gitmodules", BR_EINPUT },
	{ "did not contain", BR_ENOTFOUND },
	{ "does not allow request for", BR_ENOTFOUND },
	{ "not our ref", BR_ENOTFOUND },
	{ "ouldn't find remote ref", BR_ENOTFOUND },
	{ "could not read Username", BR_ENOTFOUND },
	{ "could not read Password", BR_ENOTFOUND },
	{ "Authentication failed", BR_ENOTFOUND },
	{ "Permission denied (", BR_ENOTFOUND },
	{ "ccess denied", BR_ENOTFOUND },
	{ "epository not found", BR_ENOTFOUND },
	{ "not appear to be a git repository", BR_ENOTFOUND },
	{ "repository not exported", BR_ENOTFOUND },
	{ "dubious ownership", BR_ENOTFOUND },
	{ "returned error: 401", BR_ENOTFOUND },
	{ "returned error: 403", BR_ENOTFOUND },
	{ "returned error: 404", BR_ENOTFOUND },
	{ "returned error: 410", BR_ENOTFOUND },
	{ "' not found", BR_ENOTFOUND },
	{ "ould not resolve host", BR_EUNAVAIL },
	{ "unable to look up", BR_EUNAVAIL },
	{ "name resolution", BR_EUNAVAIL },
	{ "Connection refused", BR_EUNAVAIL },
	{ "timed out", BR_EUNAVAIL },
	{ "No route to host", BR_EUNAVAIL },
	{ "Network is unreachable", BR_EUNAVAIL },
	{ "Host key verification failed", BR_EUNAVAIL },
	{ "onnection reset", BR_EUNAVAIL },
	{ "unable to connect", BR_EUNAVAIL },
	{ "unable to access", BR_EUNAVAIL },
	{ "RPC failed", BR_EUNAVAIL },
	{ "hung up", BR_EUNAVAIL },
	{ "early EOF", BR_EUNAVAIL },
	{ "unexpected disconnect", BR_EUNAVAIL },
	{ "protocol error", BR_EUNAVAIL },
	{ "bad line length", BR_EUNAVAIL },
	{ "invalid server response", BR_EUNAVAIL },
	{ "not valid: is this a git repository", BR_ENOTFOUND },
	{ "Could not read from remote repository", BR_EUNAVAIL },
};

static bool has(struct br_str line, const char *text)
{
	return memmem(line.data, line.len, text, strlen(text));
}

/* Find the first line with `text` in it. */
static bool find_line(
	const char *complaint, const char *text, struct br_str *found)
{
	struct br_str rest = br_str(complaint);
	struct br_str line;

	while (br_str_next_line(&rest, &line))
		if (has(line, text)) {
			*found = line;
			return true;
		}
	return false;
}

static void drop_prefix(struct br_str *line)
{
	static const char *const prefixes[] = {
		"fatal: ", "error: ", "remote: ", "ERR "
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);

		if (line->len <= len ||
			memcmp(line->data, prefixes[i], len) != 0)
			continue;
		line->data += len;
		line->len -= len;
	}
}

bool br_verdict(const char *complaint, struct br_err *err)
{
	br_autobuf struct br_buf shown = { 0 };
	enum br_code code = BR_EPROTO;
	struct br_str line = { "", 0 };

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (find_line(complaint, signs[i].text, &line)) {
			code = signs[i].code;
			break;
		}
	if (line.len == 0 && !find_line(complaint, "fatal: ", &line) &&
		!find_line(complaint, "error: ", &line))
		line = (struct br_str){ complaint, strcspn(complaint, "\n") };
	drop_prefix(&line);

	br_autobuf struct br_buf text = { 0 };
	br_buf_add(&text, line.data, line.len);
	br_address_add_shown(&shown, br_buf_text(&text));
	return br_fail(err, code, "git: %s", br_buf_text(&shown));
}
