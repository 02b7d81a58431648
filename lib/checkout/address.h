/* SPDX-License-Identifier: MIT */
/* address.h - which part of a repository's address is which. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

enum br_address_form {
	/* protocol://user:password@host:port/path */
	BR_ADDRESS_URL,
	/* user@host:path, which is ssh */
	BR_ADDRESS_SCP,
	/* A path of this machine. */
	BR_ADDRESS_PATH,
	/* helper::anything */
	BR_ADDRESS_HELPER,
};

/* All borrowed from the text. A part that is not there is empty. */
struct br_address {
	enum br_address_form form;
	struct br_str protocol;
	/* What stands before the `@`; `has_login` where there is one. */
	bool has_login;
	struct br_str login;
	/* With the brackets of an IPv6 address. */
	struct br_str host;
	bool has_port;
	struct br_str port;
	struct br_str path;
};

/* Split `text`, which may be anything. Whether it is good is not said. */
void br_address_split(const char *text, struct br_address *address);

/*
 * Decode `%xx`.
 *
 * Ownership: the caller frees the result with free().
 */
char *br_address_decode(struct br_str text) BR_NONNULL_RESULT;

/*
 * Add `text` for people to read: without what stands before the `@` of a URL in it, or
 * could, and with `?` for control characters and what is not UTF-8.
 */
void br_address_add_shown(struct br_buf *shown, const char *text);
