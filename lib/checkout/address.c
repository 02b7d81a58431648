/* SPDX-License-Identifier: MIT */
#include "checkout/address.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

static bool is_scheme_char(char c, bool is_first)
{
	return isalpha((unsigned char)c) ||
		(!is_first &&
			(isdigit((unsigned char)c) || c == '+' || c == '-' ||
				c == '.'));
}

static size_t scheme_len(const char *text)
{
	size_t len = 0;

	while (is_scheme_char(text[len], len == 0))
		len++;
	return len;
}

/* Split the login off `host`, which has all up to the path. */
static void split_login(struct br_address *address)
{
	/* The last: one that stands in a password must not end it. */
	const char *at = memrchr(address->host.data, '@', address->host.len);

	if (!at)
		return;

	size_t login_len = (size_t)(at - address->host.data);
	address->has_login = true;
	address->login = (struct br_str){ address->host.data, login_len };
	address->host =
		(struct br_str){ at + 1, address->host.len - login_len - 1 };
}

/* Split the port off `host`. */
static void split_port(struct br_address *address)
{
	struct br_str host = address->host;
	const char *bracket = host.len > 0 && host.data[0] == '['
		? memchr(host.data, ']', host.len)
		: NULL;
	const char *from = bracket ? bracket : host.data;
	const char *colon =
		memchr(from, ':', host.len - (size_t)(from - host.data));

	if (!colon)
		return;
	address->host.len = (size_t)(colon - host.data);
	address->has_port = true;
	address->port =
		(struct br_str){ colon + 1, host.len - address->host.len - 1 };
}

static void split_url(const char *rest, struct br_address *address)
{
	size_t len = strcspn(rest, "/?#");

	address->form = BR_ADDRESS_URL;
	address->host = (struct br_str){ rest, len };
	address->path = br_str(rest + len);
	split_login(address);
	split_port(address);
}

/* Find the colon that ends the host of `user@[::1]:path`, or NULL. */
static const char *find_scp_colon(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *bracket = strchr(text, '[');
	const char *colon = NULL;

	if (bracket && (bracket == text || bracket[-1] == '@'))
		bracket = strchr(bracket, ']');
	else
		bracket = NULL;
	colon = strchr(bracket ? bracket : text, ':');
	return colon && (!slash || colon < slash) ? colon : NULL;
}

static void split_scp(
	const char *text, const char *colon, struct br_address *address)
{
	address->form = BR_ADDRESS_SCP;
	address->protocol = br_str("ssh");
	address->host = (struct br_str){ text, (size_t)(colon - text) };
	address->path = br_str(colon + 1);
	split_login(address);
}

void br_address_split(const char *text, struct br_address *address)
{
	size_t len = scheme_len(text);
	const char *colon = find_scp_colon(text);

	*address = (struct br_address){ .protocol = { text, len } };
	if (br_has_prefix(text + len, "::")) {
		address->form = BR_ADDRESS_HELPER;
		address->path = br_str(text + len + strlen("::"));
	} else if (len > 0 && br_has_prefix(text + len, "://")) {
		split_url(text + len + strlen("://"), address);
	} else if (colon) {
		split_scp(text, colon, address);
	} else {
		address->form = BR_ADDRESS_PATH;
		address->protocol = br_str("file");
		address->path = br_str(text);
	}
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found =
		c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

char *br_address_decode(struct br_str text)
{
	struct br_buf decoded = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		int high = text.data[i] == '%' && i + 2 < text.len
			? hex_value(text.data[i + 1])
			: -1;
		int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;

		if (low < 0) {
			br_buf_add_char(&decoded, text.data[i]);
			continue;
		}
		br_buf_add_char(&decoded, (char)(high * 16 + low));
		i += 2;
	}
	return br_buf_take(&decoded);
}

/* Say whether `text` is the rest of a `host:` that no number follows. */
static bool has_odd_port(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);

	return colon && text[0] != '[' &&
		strspn(colon + 1, "0123456789") + (size_t)(colon + 1 - text) <
		len;
}

/* Count what belongs to a login at the start of `text`, or may. */
static size_t login_len(const char *text)
{
	/* What cannot stand in an address ends it, as in git's messages. */
	size_t word_len = strcspn(text, " '\"<>");
	size_t len = strcspn(text, "/?# '\"<>");
	const char *at = memrchr(text, '@', len);

	/* A password with a slash in it, which is no URL, but is still secret. */
	if (!at && has_odd_port(text, len))
		at = memrchr(text, '@', word_len);
	return at ? (size_t)(at + 1 - text) : 0;
}

/* Count the bytes of the character at `text` that can be shown; 0: none. */
static size_t shown_len(const char *text)
{
	enum { CHARACTER_MAX = 4 };

	if ((unsigned char)*text < ' ' || *text == 0x7f)
		return 0;
	/* The shortest beginning that is a character. */
	for (size_t len = 1; len <= strnlen(text, CHARACTER_MAX); len++)
		if (br_utf8_is_valid(text, len))
			return len;
	return 0;
}

void br_address_add_shown(struct br_buf *shown, const char *text)
{
	static const char mark[] = "://";

	while (*text != '\0') {
		size_t len = shown_len(text);

		if (br_has_prefix(text, mark)) {
			br_buf_add_text(shown, mark);
			text += strlen(mark);
			text += login_len(text);
			continue;
		}
		br_buf_add(shown, len > 0 ? text : "?", len > 0 ? len : 1);
		text += len > 0 ? len : 1;
	}
}
