/* SPDX-License-Identifier: MIT */
/*
 * users.h - which stages of which projects have had a result.
 *
 * For people only: an identity knows no names, and two checkouts of a project share their
 * results. It stands in a file `who/AB/IDENTITY` as pairs of a stage's name and a
 * project's folder, each with a NUL behind it, and grows at its end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "cache/hash.h"

struct br_store;

/* Borrowed from the bytes that it was read from. */
struct br_user {
	struct br_str stage;
	struct br_str project;
};

/*
 * Note that a stage has left or got this result, which br_history_save() does. Where that
 * cannot be written it is not known, and no more.
 *
 * Limits: BR_LIMIT_USERS_BYTES; who comes later is not noted.
 */
void br_users_note(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], const char *stage,
	const char *project_dir);

/* Add the bytes that are noted; nothing where there are none. */
void br_users_load(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_buf *bytes);

/* Take the first pair off `rest`; false: there is none. */
bool br_users_next(struct br_str *rest, struct br_user *user);
