/* SPDX-License-Identifier: MIT */
#include "broker/address.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	PORT_PLAIN = 5672,
	PORT_TLS = 5671,
	/* As AMQP has them on the wire; a password only has to be sane. */
	VHOST_MAX_BYTES = 255,
	PART_MAX_BYTES = 4096,
};

/* Takes no part of the address: br_broker_address_parse() says why. */
static bool fail(struct br_err *err, const char *what)
{
	return br_fail(err, BR_EINPUT, "the broker's address: %s", what);
}

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, tolower((uint8_t)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Read a part with its %xx. */
static bool decode(struct br_str part, char **text, struct br_err *err)
{
	br_autobuf struct br_buf decoded = { 0 };

	for (size_t i = 0; i < part.len; i++) {
		if (part.data[i] != '%') {
			br_buf_add_char(&decoded, part.data[i]);
			continue;
		}
		int high =
			i + 2 < part.len ? digit_value(part.data[i + 1]) : -1;
		int low = i + 2 < part.len ? digit_value(part.data[i + 2]) : -1;

		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return fail(err, "a % wants two hexadecimal digits");
		br_buf_add_char(&decoded, (char)(high << 4 | low));
		i += 2;
	}
	if (decoded.len > PART_MAX_BYTES)
		return fail(err, "too long");
	free(*text);
	*text = br_buf_take(&decoded);
	return true;
}

static struct br_str take(const char *from, const char *to)
{
	return (struct br_str){ .data = from, .len = (size_t)(to - from) };
}

static bool parse_user(struct br_str part, struct br_broker_address *address,
	struct br_err *err)
{
	const char *end = part.data + part.len;
	const char *colon = memchr(part.data, ':', part.len);

	if (!colon) {
		free(address->password);
		address->password = br_strdup("");
		return decode(part, &address->user, err);
	}
	return decode(take(part.data, colon), &address->user, err) &&
		decode(take(colon + 1, end), &address->password, err);
}

static bool parse_port(struct br_str part, struct br_broker_address *address,
	struct br_err *err)
{
	br_autofree char *text = br_memdup(part.data, part.len);
	struct br_err why;
	int64_t port;

	if (!br_parse_int(text, 1, UINT16_MAX, &port, &why))
		return fail(err, "the port is no number from 1 to 65535");
	address->port = (uint16_t)port;
	return true;
}

/* Whether every byte may stand in a host's name or address. */
static bool is_host(struct br_str host, bool is_bracketed)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];

		if (!isalnum((uint8_t)c) &&
			!strchr(is_bracketed ? ":.%" : "-._", c))
			return false;
	}
	return true;
}

/* `host`, `host:port`, `[::1]` or `[::1]:port`. */
static bool parse_host(struct br_str part, struct br_broker_address *address,
	struct br_err *err)
{
	const char *end = part.data + part.len;
	bool is_bracketed = part.len > 0 && part.data[0] == '[';
	const char *start = part.data + (is_bracketed ? 1 : 0);
	const char *stop =
		memchr(start, is_bracketed ? ']' : ':', (size_t)(end - start));

	if (is_bracketed && !stop)
		return fail(err, "a [ without its ]");
	stop = stop ? stop : end;
	struct br_str host = take(start, stop);
	if (!is_host(host, is_bracketed) || host.len > VHOST_MAX_BYTES)
		return fail(err, "no host's name");
	if (host.len > 0) {
		free(address->host);
		address->host = br_memdup(host.data, host.len);
	}
	const char *rest = is_bracketed ? stop + 1 : stop;
	if (rest == end)
		return true;
	if (*rest != ':')
		return fail(err, "something follows the ]");
	return parse_port(take(rest + 1, end), address, err);
}

static bool parse_vhost(
	const char *text, struct br_broker_address *address, struct br_err *err)
{
	if (*text == '\0')
		return true;
	if (strpbrk(text, "/?#"))
		return fail(err, "a virtual host has / ? # as %2f %3f %23");
	if (!decode(br_str(text), &address->vhost, err))
		return false;
	return strlen(address->vhost) <= VHOST_MAX_BYTES ||
		fail(err, "the virtual host's name is too long");
}

static char *show(const struct br_broker_address *address)
{
	br_autobuf struct br_buf text = { 0 };
	bool is_v6 = strchr(address->host, ':') != NULL;

	br_buf_addf(&text, "amqp%s://%s%s%s:%u/", address->is_tls ? "s" : "",
		is_v6 ? "[" : "", address->host, is_v6 ? "]" : "",
		address->port);
	for (const char *at = address->vhost;
		*at && strcmp(address->vhost, "/") != 0; at++) {
		if (isalnum((uint8_t)*at) || strchr("-._~", *at))
			br_buf_add_char(&text, *at);
		else
			br_buf_addf(&text, "%%%02x", (uint8_t)*at);
	}
	return br_buf_take(&text);
}

static bool parse(
	const char *url, struct br_broker_address *address, struct br_err *err)
{
	address->is_tls = br_has_prefix(url, "amqps://");
	if (!address->is_tls && !br_has_prefix(url, "amqp://"))
		return fail(err, "it is not amqp://… or amqps://…");
	address->port = address->is_tls ? PORT_TLS : PORT_PLAIN;

	const char *start = url + (address->is_tls ? 8 : 7);
	const char *end = start + strcspn(start, "/?#");
	if (*end != '\0' && *end != '/')
		return fail(err, "a ? or # in it");
	const char *at = memrchr(start, '@', (size_t)(end - start));
	if (at && !parse_user(take(start, at), address, err))
		return false;
	if (!parse_host(take(at ? at + 1 : start, end), address, err))
		return false;
	return *end == '\0' || parse_vhost(end + 1, address, err);
}

bool br_broker_address_parse(
	const char *url, struct br_broker_address *address, struct br_err *err)
{
	struct br_broker_address parsed = {
		.host = br_strdup("localhost"),
		.user = br_strdup("guest"),
		.password = br_strdup("guest"),
		.vhost = br_strdup("/"),
	};

	if (!parse(url, &parsed, err)) {
		br_broker_address_done(&parsed);
		return false;
	}
	parsed.shown = show(&parsed);
	*address = parsed;
	return true;
}

void br_broker_address_done(struct br_broker_address *address)
{
	if (address->password)
		explicit_bzero(address->password, strlen(address->password));
	free(address->host);
	free(address->user);
	free(address->password);
	free(address->vhost);
	free(address->shown);
	*address = (struct br_broker_address){ 0 };
}
