/* SPDX-License-Identifier: MIT */
/* What an answer of the engine that is an error says, in our words and its own. */
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "engine/http.h"
#include "engine/json.h"

/* Leaves room for context in the 512 bytes of an error's text. */
enum { MESSAGE_MAX_BYTES = 320 };

/*
 * Put `text` on one line: control characters become blanks, bytes that are not
 * UTF-8 `?`, and what is too long is cut. Ownership: the caller frees it.
 */
static char *tidy(struct br_str text)
{
	struct br_buf line = { 0 };
	size_t at = 0;

	while (at < text.len && line.len < MESSAGE_MAX_BYTES) {
		size_t good = br_utf8_valid_len(text.data + at, text.len - at);

		for (size_t i = 0; i < good && line.len < MESSAGE_MAX_BYTES;
			i++, at++) {
			unsigned char c = (unsigned char)text.data[at];

			br_buf_add_char(
				&line, (char)(c < 0x20 || c == 0x7f ? ' ' : c));
		}
		if (at < text.len && line.len < MESSAGE_MAX_BYTES &&
			good == 0) {
			br_buf_add_char(&line, '?');
			at++;
		}
	}
	while (line.len > 0 && line.data[line.len - 1] == ' ')
		line.data[--line.len] = '\0';
	if (at < text.len) {
		size_t cut = br_utf8_partial_len(line.data, line.len);

		line.len -= cut;
		br_buf_add_text(&line, "...");
	}
	return br_buf_take(&line);
}

char *br_http_message(struct br_str body)
{
	br_autojson struct cJSON *value = NULL;
	struct br_err ignored = { 0 };

	if (br_json_parse(body, &value, &ignored)) {
		const char *message = br_json_find_text(value, "message");

		/* Podman has the whole story in `cause` or here as well. */
		if (message[0] != '\0')
			return tidy(br_str(message));
	}
	return tidy(body);
}

static enum br_code code_of(int status)
{
	if (status == 400)
		return BR_EINPUT;
	if (status == 404)
		return BR_ENOTFOUND;
	if (status >= 500 || status == 401 || status == 403 || status == 409 ||
		status == 429)
		return BR_EUNAVAIL;
	return BR_EPROTO;
}

bool br_http_refuse(const struct br_http_answer *answer, struct br_err *err)
{
	br_autofree char *message = br_http_message(br_buf_str(&answer->body));

	if (message[0] == '\0')
		return br_fail(err, code_of(answer->status),
			"the engine answered with status %d", answer->status);
	return br_fail(
		err, code_of(answer->status), "the engine says: %s", message);
}

void br_http_add_escaped(struct br_buf *url, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (const char *at = text; *at != '\0'; at++) {
		if (strchr(plain, *at))
			br_buf_add_char(url, *at);
		else
			br_buf_addf(url, "%%%02X", (unsigned char)*at);
	}
}
