/* SPDX-License-Identifier: MIT */
/*
 * read.h - values from nodes, and keys from tables.
 *
 * Each kind of mapping in a manifest has one table with a row for each key:
 * which function reads its value, or why this key cannot stand there. Whatever
 * is wrong goes to the diagnostics at its place, and reading goes on; a value
 * that is wrong is left as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest/manifest.h"
#include "manifest/node.h"

struct br_reader {
	/* Takes the values; their strings live in its arena. */
	struct br_manifest *manifest;
	struct br_diags *diags;
	/* Some `needs` has a mistake: who needs whom is not all known. */
	bool are_needs_broken;
	/* How often a name that is near to a wrong one was looked for. */
	size_t suggestion_count;
};

/* Read the value of `entry`, which is not null, into `into`. */
typedef void br_read_fn(
	struct br_reader *reader, const struct br_entry *entry, void *into);

struct br_key {
	const char *name;
	br_read_fn *read;
	/* Not NULL: the key cannot stand here, for this reason. */
	const char *refused;
};

struct br_keys {
	const struct br_key *rows;
	size_t count;
	/* What the keys are keys of: `a stage`. */
	const char *owner;
	/* Help for an unknown key where no known one is near, or NULL. */
	const char *unknown_help;
	/* Help for a value that is no mapping, or NULL. */
	const char *form_help;
};

/*
 * Read the mapping `node`: each of its keys by its row of `keys`. A key whose
 * value is null is absent. Gives false, with a mistake, where it is no mapping.
 */
bool br_read_mapping(struct br_reader *reader, const struct br_entry *entry,
	const struct br_keys *keys, void *into);

/* Find the row of a key; NULL where there is none. Ownership: as `keys`. */
const struct br_key *br_read_find_key(
	const struct br_keys *keys, const char *name);

/* Read one entry of such a mapping. */
void br_read_entry(struct br_reader *reader, const struct br_entry *entry,
	const struct br_keys *keys, void *into);

/*
 * Say whether a name near to a wrong one may be looked for, and count it: each
 * takes time, and nobody reads hundreds of them.
 */
bool br_read_may_suggest(struct br_reader *reader);

/* Report a mistake at `place`. */
void br_read_fail(struct br_reader *reader, struct br_place place,
	const char *help, const char *text);

/*
 * Report that the value of `entry` is not what its key, or the list that it is
 * in, `wants`: "'docker' must be true or false, not a list".
 */
void br_read_wrong(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants, const char *help);

/*
 * Read a text; NULL, with a mistake, where the value is none. Null is a mistake
 * too: only keys may be absent. `name` is what the mistake calls the value.
 *
 * Ownership: the manifest's.
 */
const char *br_read_text(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants);

/*
 * Read a text that is not empty and has no control characters; else as
 * br_read_text(). Ownership: the manifest's.
 */
const char *br_read_line(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants);

/* br_read_line() for a text without blanks. Ownership: the manifest's. */
const char *br_read_word(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants);

/* Read a bool, `true` or `false` without quotes; `wants` says what is taken. */
bool br_read_bool(struct br_reader *reader, const struct br_entry *entry,
	const char *wants, bool *value);

/* Read a decimal integer without quotes; `wants` says which are taken. */
bool br_read_int(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants, int64_t min, int64_t max,
	int64_t *value);

/* One of br_parse_duration(), br_parse_size() and br_parse_nano(). */
typedef bool br_parse_fn(const char *text, int64_t *value, struct br_err *err);

/* Read a text by `parse`. */
void br_read_amount(struct br_reader *reader, const struct br_entry *entry,
	br_parse_fn *parse, const char *wants, int64_t *value);

/* Checks one text of a list; where it is wrong it reports and gives false. */
typedef bool br_check_fn(struct br_reader *reader, const struct br_entry *entry,
	const char *text);

/*
 * Read a list of texts that are lines (br_read_line()); `check` may be NULL.
 * Those with a mistake are left out.
 */
void br_read_texts(struct br_reader *reader, const struct br_entry *entry,
	const char *wants, br_check_fn *check, struct br_texts *texts);
