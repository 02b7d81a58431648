/* SPDX-License-Identifier: MIT */
/*
 * key.h - the identity of a stage: what its result depends on, as one hash.
 *
 * A key is made of *ingredients*, each of a kind, with a name and a value. Its canonical form, of
 * which the identity is the SHA-256, is text:
 *
 *	buildr-key 1
 *	KIND VALUE NAME
 *	...
 *
 * with a line feed behind each line, and the ingredients in the order of `enum
 * br_ingredient`, steps and the words of a shell in their own order, the others of a
 * kind by name and then by value, byte by byte. KIND is as in br_ingredient_name().
 * VALUE is 64 hex digits:
 *
 * - of a file the SHA-256 of its content, with its permission bits as four octal digits and a
 *   colon in front; of a symbolic link the SHA-256 of its target;
 * - of a needed stage its identity;
 * - of a secret, and of what has one in it, the HMAC-SHA-256 under the caller's key;
 * - of all others the SHA-256 of the value.
 *
 * NAME is the rest of the line, where a control character, DEL and a backslash are
 * `\` and three octal digits; other bytes stand as they are. The name of a needed stage is `-`:
 * stages may be renamed.
 *
 * The *record* is the same text with the names of needed stages. Two records of
 * one stage tell what made it run again (br_record_compare()); values that are not
 * hashes are in neither, so that a record may be kept where a secret may not.
 *
 * Whoever changes what any of this means counts BR_KEY_VERSION up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "cache/hash.h"

struct br_listing;

enum { BR_KEY_VERSION = 1 };

enum br_ingredient {
	/* The digest of the image; its name may change. */
	BR_INGREDIENT_IMAGE,
	/* What decides how steps run: `user`, `workdir`, `tty`. */
	BR_INGREDIENT_SETTING,
	/* A word of the shell's argv. */
	BR_INGREDIENT_SHELL,
	/* A step, named by its number: its text, or its argv. */
	BR_INGREDIENT_STEP,
	BR_INGREDIENT_VARIABLE,
	/* A variable whose value is, or has in it, a secret. */
	BR_INGREDIENT_SECRET,
	/* A service, named by its alias: all that is said of it. */
	BR_INGREDIENT_SERVICE,
	/* A stage that it needs, by identity. */
	BR_INGREDIENT_NEED,
	/* A glob of `outputs`. */
	BR_INGREDIENT_OUTPUT,
	BR_INGREDIENT_FILE,
	BR_INGREDIENT_LINK,
};

/* Give its name in keys and records: `variable`. */
const char *br_ingredient_name(enum br_ingredient kind) BR_NONNULL_RESULT;

struct br_key_item {
	enum br_ingredient kind;
	/* With escapes; in the key's arena. */
	const char *name;
	/* In the text that is being written: `name` or `-`. */
	const char *shown;
	uint8_t digest[BR_HASH_BYTES];
	/* Of a file. */
	uint32_t mode;
	/* In which they were added. */
	size_t order;
};

/* Starts out all zero; br_cache_key_done() frees it. */
struct br_cache_key {
	struct br_arena arena;
	struct br_key_item *items;
	size_t count;
	size_t capacity;
};

/* Add an ingredient; `name` and `value` are not kept. */
void br_cache_key_add(struct br_cache_key *key, enum br_ingredient kind,
	const char *name, struct br_str value);

/* Add one whose value is a list that ends in NULL: other cuts are other values. */
void br_cache_key_add_list(struct br_cache_key *key, enum br_ingredient kind,
	const char *name, const char *const *values);

/*
 * Add one whose value is a secret, or has one in it, as a step's text may: who has the
 * record but not `secret_key` cannot try values out.
 */
void br_cache_key_add_keyed(struct br_cache_key *key, enum br_ingredient kind,
	const char *name, struct br_str value,
	const uint8_t secret_key[BR_HASH_BYTES]);

/* Add the identity of a needed stage; its name is for people. */
void br_cache_key_add_need(struct br_cache_key *key, const char *name,
	const uint8_t identity[BR_HASH_BYTES]);

/* Add files and links, which br_hash_listing() has seen. */
void br_cache_key_add_listing(
	struct br_cache_key *key, const struct br_listing *listing);

/* Write the identity. More may be added afterwards, for another one. */
void br_cache_key_end(
	struct br_cache_key *key, uint8_t identity[BR_HASH_BYTES]);

/* Add the record to `record`. */
void br_cache_key_record(struct br_cache_key *key, struct br_buf *record);

/* Free what it has. It may be used again. */
void br_cache_key_done(struct br_cache_key *key);

static inline void br_clean_cache_key(struct br_cache_key *key)
{
	br_cache_key_done(key);
}

#define br_autokey __attribute__((cleanup(br_clean_cache_key)))
