/* SPDX-License-Identifier: MIT */
#include "checkout/repo.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/limits.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "checkout/address.h"
#include "checkout/checkout.h"

static const char *const usual_protocols[] = { "https", "http", "ssh", "git",
	NULL };

char *br_checkout_show(const char *repo)
{
	struct br_buf shown = { 0 };
	struct br_address address;
	const char *from = repo;

	br_address_split(repo, &address);
	if (address.form == BR_ADDRESS_SCP) {
		const char *at = memrchr(repo, '@', strcspn(repo, "/"));

		from = at ? at + 1 : repo;
	}
	br_address_add_shown(&shown, from);
	/* Some servers take tokens there. */
	if (address.form == BR_ADDRESS_URL && shown.len > 0)
		shown.data[strcspn(shown.data, "?#")] = '\0';
	char *result = br_strdup(br_buf_text(&shown));
	br_buf_done(&shown);
	return result;
}

static bool is_listed(struct br_str name, const char *const *list)
{
	for (; list && *list; list++)
		if (br_str_is(name, *list))
			return true;
	return false;
}

char *br_repo_protocols(const char *const *extra_protocols)
{
	struct br_buf list = { 0 };

	for (size_t i = 0; usual_protocols[i]; i++)
		br_buf_addf(
			&list, "%s%s", i > 0 ? ":" : "", usual_protocols[i]);
	for (; extra_protocols && *extra_protocols; extra_protocols++)
		br_buf_addf(&list, ":%s", *extra_protocols);
	return br_buf_take(&list);
}

static bool check_text(const char *address, struct br_err *err)
{
	size_t len = strlen(address);

	if (len == 0)
		return br_fail(err, BR_EINPUT, "it is empty");
	if (len > BR_LIMIT_REPO_BYTES)
		return br_fail(err, BR_EINPUT, "it is longer than %d bytes",
			BR_LIMIT_REPO_BYTES);
	if (address[0] == '-')
		return br_fail(err, BR_EINPUT, "it looks like an option");
	for (const char *at = address; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return br_fail(err, BR_EINPUT,
				"it has control characters in it");
	return br_utf8_is_valid(address, len) ||
		br_fail(err, BR_EINPUT, "it is not UTF-8");
}

static bool check_protocol(const struct br_address *address,
	const char *const *extra_protocols, struct br_err *err)
{
	bool is_usual = address->form != BR_ADDRESS_HELPER &&
		is_listed(address->protocol, usual_protocols);

	return is_usual || is_listed(address->protocol, extra_protocols) ||
		br_fail(err, BR_EINPUT, "protocol '%.*s' is not allowed",
			(int)address->protocol.len, address->protocol.data);
}

/* Names, and addresses within brackets. */
static bool is_host(struct br_str host)
{
	bool has_brackets = host.len > 2 && host.data[0] == '[' &&
		host.data[host.len - 1] == ']';
	size_t start = has_brackets ? 1 : 0;
	size_t end = has_brackets ? host.len - 1 : host.len;

	if (host.len == 0 || host.data[0] == '-')
		return false;
	for (size_t i = start; i < end; i++) {
		unsigned char c = (unsigned char)host.data[i];

		if (!isalnum(c) && c < 0x80 && c != '.' && c != '-' &&
			c != '_' && !(has_brackets && (c == ':' || c == '%')))
			return false;
	}
	return true;
}

static bool is_port(struct br_str port)
{
	br_autofree char *text = br_memdup(port.data, port.len);
	struct br_err ignored = { 0 };
	int64_t number = 0;

	return br_parse_int(text, 1, UINT16_MAX, &number, &ignored);
}

static bool check_place(const struct br_address *address, struct br_err *err)
{
	if (address->form == BR_ADDRESS_HELPER)
		return true;
	if (br_str_is(address->protocol, "file"))
		return address->path.data[0] == '/' && address->host.len == 0
			? true
			: br_fail(err, BR_EINPUT,
				  "a path must be an absolute one");
	if (!is_host(address->host))
		return br_fail(err, BR_EINPUT, "it names no host");
	if (address->has_port && !is_port(address->port))
		return br_fail(err, BR_EINPUT, "its port is no number");
	if (address->form == BR_ADDRESS_SCP &&
		(address->path.len == 0 || address->path.data[0] == '-'))
		return br_fail(err, BR_EINPUT, "it names no path");
	return true;
}

static bool is_http(const struct br_address *address)
{
	return address->form == BR_ADDRESS_URL &&
		(br_str_is(address->protocol, "https") ||
			br_str_is(address->protocol, "http"));
}

/* Only over HTTP can git get a password that no other process sees. */
static bool check_login(const struct br_address *address, struct br_err *err)
{
	const struct br_str login = address->login;

	if (address->form == BR_ADDRESS_SCP &&
		memchr(address->path.data, '@',
			strcspn(address->path.data, "/")))
		return br_fail(err, BR_EINPUT,
			"it has a password, which only http takes");
	if (!address->has_login || is_http(address))
		return true;
	if (memchr(login.data, ':', login.len) ||
		br_str_is(address->protocol, "git"))
		return br_fail(err, BR_EINPUT,
			"it has a password, which only http takes");
	return (login.len > 0 && login.data[0] != '-') ||
		br_fail(err, BR_EINPUT, "its user looks like an option");
}

static bool is_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

static bool take_login(const struct br_address *address, struct br_repo *repo,
	struct br_err *err)
{
	const struct br_str login = address->login;
	const char *colon = memchr(login.data, ':', login.len);
	size_t user_len = colon ? (size_t)(colon - login.data) : login.len;
	size_t rest_len = colon ? login.len - user_len - 1 : 0;

	repo->user = br_address_decode((struct br_str){ login.data, user_len });
	if (colon)
		repo->password = br_address_decode(
			(struct br_str){ colon + 1, rest_len });
	repo->server = br_format("%.*s://%.*s%s%.*s",
		(int)address->protocol.len, address->protocol.data,
		(int)address->host.len, address->host.data,
		address->has_port ? ":" : "", (int)address->port.len,
		address->has_port ? address->port.data : "");
	/* git hands them to a helper a line each. */
	return (is_one_line(repo->user) &&
		       (!repo->password || is_one_line(repo->password))) ||
		br_fail(err, BR_EINPUT,
			"its user and password have line ends in them");
}

static void make_key(struct br_repo *repo)
{
	uint8_t digest[BR_SHA256_BYTES];
	struct br_sha256 sha;

	br_sha256_init(&sha);
	br_sha256_feed(&sha, repo->address, strlen(repo->address));
	br_sha256_end(&sha, digest);
	br_sha256_format(digest, repo->key);
}

static bool parse(const char *text, const char *const *extra_protocols,
	struct br_repo *repo, struct br_err *err)
{
	struct br_address address;

	if (!check_text(text, err))
		return false;
	br_address_split(text, &address);
	if (!check_protocol(&address, extra_protocols, err) ||
		!check_place(&address, err) || !check_login(&address, err))
		return false;
	repo->protocol = br_memdup(address.protocol.data, address.protocol.len);
	if (!is_http(&address) || !address.has_login) {
		repo->address = br_strdup(text);
	} else {
		if (!take_login(&address, repo, err))
			return false;
		repo->address =
			br_format("%s%s", repo->server, address.path.data);
	}
	make_key(repo);
	return true;
}

bool br_repo_parse(const char *address, const char *const *extra_protocols,
	struct br_repo *repo, struct br_err *err)
{
	br_autofree char *shown = br_checkout_show(address);
	struct br_repo parsed = { 0 };

	if (!parse(address, extra_protocols, &parsed, err)) {
		br_repo_done(&parsed);
		return br_wrap(err, "repository '%s'", shown);
	}
	*repo = parsed;
	return true;
}

void br_repo_done(struct br_repo *repo)
{
	if (repo->password)
		explicit_bzero(repo->password, strlen(repo->password));
	free(repo->address);
	free(repo->protocol);
	free(repo->server);
	free(repo->user);
	free(repo->password);
	*repo = (struct br_repo){ 0 };
}
