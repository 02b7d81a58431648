/* SPDX-License-Identifier: MIT */
/*
 * remote_place.h - where a remote cache is and how it is spoken to.
 *
 * A password in the URL is taken out of it at once, so that no message can show it.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Starts out all zero. Strings are owned. */
struct br_remote_place {
	/* `https://cache:8080/prefix`, without a slash at its end. */
	char *base;
	/* NULL: none in the URL. */
	char *user;
	char *password;
	/* NULL: none. */
	char *token;
	/* Authorities as PEM; NULL: the system's. */
	char *ca_file;
};

/*
 * Read `http[s]://[user[:password]@]host[:port][/prefix]`.
 *
 * Ownership: the caller frees what *place has with br_remote_place_done(). Fails with
 * BR_EINPUT, and never shows a password.
 */
bool br_remote_place_parse(const char *url, struct br_remote_place *place,
	struct br_err *err) BR_MUST_CHECK;

/* Check such a URL, without taking it. Fails as br_remote_place_parse(). */
bool br_remote_check_url(const char *url, struct br_err *err) BR_MUST_CHECK;

/*
 * Check a token, which becomes a line of each request. Fails with BR_EINPUT where it has blanks
 * or anything but ASCII, and never shows it.
 */
bool br_remote_check_token(const char *token, struct br_err *err) BR_MUST_CHECK;

/* Free what it has. */
void br_remote_place_done(struct br_remote_place *place);
