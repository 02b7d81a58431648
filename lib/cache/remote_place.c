/* SPDX-License-Identifier: MIT */
#include "cache/remote_place.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/str.h"

static bool is_plain(const char *url)
{
	for (const char *at = url; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
			return false;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Take %XX out; what is none stays. Ownership: the caller frees it with free(). */
static char *decode(const char *text, size_t len)
{
	br_autobuf struct br_buf plain = { 0 };

	for (size_t i = 0; i < len; i++) {
		int high = text[i] == '%' && i + 2 < len
			? hex_digit(text[i + 1])
			: -1;
		int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

		if (low >= 0 && high + low > 0) {
			br_buf_add_char(&plain, (char)(high * 16 + low));
			i += 2;
		} else {
			br_buf_add_char(&plain, text[i]);
		}
	}
	return br_buf_take(&plain);
}

/* Take `user[:password]@` off the authority, which `at` begins. */
static const char *take_user(
	const char *at, size_t len, struct br_remote_place *place)
{
	const char *end = memrchr(at, '@', len);
	const char *colon = NULL;

	if (!end)
		return at;
	colon = memchr(at, ':', (size_t)(end - at));
	place->user = decode(at, (size_t)((colon ? colon : end) - at));
	place->password =
		colon ? decode(colon + 1, (size_t)(end - colon - 1)) : NULL;
	return end + 1;
}

bool br_remote_place_parse(
	const char *url, struct br_remote_place *place, struct br_err *err)
{
	bool is_tls = br_has_prefix(url, "https://");

	if (!is_tls && !br_has_prefix(url, "http://"))
		return br_fail(err, BR_EINPUT,
			"the remote cache is no URL that begins with http:// "
			"or https://");
	if (!is_plain(url) || strpbrk(url, "?#\\"))
		return br_fail(err, BR_EINPUT,
			"the URL of the remote cache has a blank, '?', '#', "
			"'\\' or a byte that is not ASCII");

	struct br_remote_place parsed = { 0 };
	const char *at = url + strlen(is_tls ? "https://" : "http://");
	const char *host = take_user(at, strcspn(at, "/"), &parsed);
	size_t len = strlen(host);

	while (len > 0 && host[len - 1] == '/')
		len--;
	if (strcspn(host, "/:") == 0 || len == 0) {
		br_remote_place_done(&parsed);
		return br_fail(err, BR_EINPUT,
			"the URL of the remote cache names no host");
	}
	parsed.base = br_format(
		"%s%.*s", is_tls ? "https://" : "http://", (int)len, host);
	*place = parsed;
	return true;
}

bool br_remote_check_url(const char *url, struct br_err *err)
{
	struct br_remote_place place = { 0 };

	if (!br_remote_place_parse(url, &place, err))
		return false;
	br_remote_place_done(&place);
	return true;
}

bool br_remote_check_token(const char *token, struct br_err *err)
{
	return (token[0] != '\0' && is_plain(token)) ||
		br_fail(err, BR_EINPUT,
			"the token of the remote cache is empty, or has a "
			"blank or a byte that is not ASCII");
}

static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void br_remote_place_done(struct br_remote_place *place)
{
	free(place->base);
	free(place->user);
	forget(place->password);
	forget(place->token);
	free(place->ca_file);
	*place = (struct br_remote_place){ 0 };
}
