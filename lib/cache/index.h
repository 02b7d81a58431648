/* SPDX-License-Identifier: MIT */
/*
 * index.h - the hashes of files, remembered by what stat(2) says of them.
 *
 * An index is never in the way: where its file cannot be opened, read or written, or is
 * broken, it knows less, and files are hashed again. Two builds may use one at once.
 *
 * The file is a SQLite database with one row for 64 inodes that follow each other, since
 * the files of a folder mostly do: 20,000 files are 350 rows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clean.h"
#include "cache/file_facts.h"
#include "cache/hash.h"

struct br_index;

/*
 * Open the index in the file `path`, and make it where there is none or a broken one.
 *
 * Ownership: the caller frees it with br_index_free(); never NULL.
 */
struct br_index *br_index_open(const char *path) BR_NONNULL_RESULT;

/* Close it; what was not saved is forgotten. `index` may be NULL. */
void br_index_free(struct br_index *index);

BR_DEFINE_AUTO(br_index)

/*
 * Begin to look for many files, which is faster so, and end: in between nothing may be added
 * or saved.
 */
void br_index_begin_look(struct br_index *index);
void br_index_end_look(struct br_index *index);

/* Look for the digest of a file with these facts; false: it is not known. */
bool br_index_find(struct br_index *index, const struct br_file_facts *facts,
	uint8_t digest[BR_HASH_BYTES]);

/*
 * Remember a digest. Nothing is where a change after `looked_ns`, when the file was
 * looked at, might leave its facts as they are (br_file_facts_are_settled()): such a file is
 * hashed again the next time.
 */
void br_index_add(struct br_index *index, const struct br_file_facts *facts,
	int64_t looked_ns, const uint8_t digest[BR_HASH_BYTES]);

/* Write what is new, and forget what has not been used for 30 days. */
void br_index_save(struct br_index *index);
