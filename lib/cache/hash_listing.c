/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/beneath.h"
#include "cache/hash.h"
#include "cache/index.h"
#include "cache/listing.h"
#include "cache/workers.h"

enum {
	/* Below both, one process has hashed before a second one has started. */
	ALONE_BYTES = 1024 * 1024,
	ALONE_FILES = 64,
	/* How often a file may change under our eyes. */
	LOOKS_MAX = 5,
};

enum outcome {
	OUTCOME_NONE,
	OUTCOME_HASHED,
	OUTCOME_GONE,
	OUTCOME_RESTLESS,
	OUTCOME_FAILED,
};

/* What was found out of one file; in shared memory. */
struct found {
	enum outcome outcome;
	int error;
	uint32_t mode;
	/* When it was looked at. */
	int64_t looked_ns;
	struct br_file_facts facts;
	uint8_t digest[BR_HASH_BYTES];
};

/* The files that the index does not know. */
struct missing {
	int root_fd;
	struct br_listing *listing;
	/* Indexes into the listing. */
	size_t *items;
	size_t count;
	size_t capacity;
	int64_t size_bytes;
	/* One for each of the items. */
	struct found *found;
};

static enum outcome fail(struct found *found)
{
	found->error = errno;
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
		? OUTCOME_GONE
		: OUTCOME_FAILED;
}

/* Hash it, and say whether it was the same file before and after. */
static enum outcome look(int fd, struct found *found)
{
	struct stat before;
	struct stat after;
	struct br_err err = { 0 };

	found->looked_ns = br_file_facts_now_ns();
	if (fstat(fd, &before) < 0)
		return fail(found);
	/* It has become something else: as good as gone. */
	if (!S_ISREG(before.st_mode))
		return OUTCOME_GONE;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
		!br_hash_fd(fd, -1, found->digest, NULL, &err) ||
		fstat(fd, &after) < 0)
		return fail(found);
	found->mode = after.st_mode & 07777;
	found->facts = br_file_facts_of(&after);

	struct br_file_facts facts = br_file_facts_of(&before);
	return br_file_facts_are_equal(&facts, &found->facts)
		? OUTCOME_HASHED
		: OUTCOME_RESTLESS;
}

static void hash_one(void *ctx, size_t item)
{
	const struct missing *missing = ctx;
	struct found *found = &missing->found[item];
	const char *path = missing->listing->items[missing->items[item]].path;
	br_autoclose int fd = br_beneath_open(
		missing->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	found->outcome = fd < 0 ? fail(found) : OUTCOME_RESTLESS;
	for (int i = 0; i < LOOKS_MAX && found->outcome == OUTCOME_RESTLESS;
		i++)
		found->outcome = look(fd, found);
}

static void look_up(struct br_index *index, struct missing *missing)
{
	br_index_begin_look(index);
	for (size_t i = 0; i < missing->listing->count; i++) {
		struct br_listed *listed = &missing->listing->items[i];

		if (listed->kind != BR_LISTED_FILE ||
			br_index_find(index, &listed->facts, listed->digest))
			continue;
		missing->items = br_grow(missing->items, missing->count,
			&missing->capacity, sizeof(*missing->items));
		missing->items[missing->count++] = i;
		missing->size_bytes += listed->facts.size_bytes;
	}
	br_index_end_look(index);
}

static void hash_missing(struct missing *missing)
{
	bool is_little = missing->size_bytes < ALONE_BYTES &&
		missing->count < ALONE_FILES;

	br_workers_run(missing->count, is_little ? 1 : br_workers_processors(),
		hash_one, missing);
}

static bool take(struct br_index *index, const struct found *found,
	struct br_listed *listed, struct br_err *err)
{
	switch (found->outcome) {
	case OUTCOME_HASHED:
		listed->mode = found->mode;
		listed->facts = found->facts;
		memcpy(listed->digest, found->digest, BR_HASH_BYTES);
		br_index_add(
			index, &found->facts, found->looked_ns, found->digest);
		return true;
	case OUTCOME_GONE:
		/* Marked, to be taken off the list. */
		listed->path = NULL;
		return true;
	case OUTCOME_RESTLESS:
		return br_fail(err, BR_EUNAVAIL,
			"'%s' changes again and again while it is read",
			listed->path);
	case OUTCOME_NONE:
	case OUTCOME_FAILED:
		break;
	}
	errno = found->error;
	return br_fail_errno(err, "read '%s'", listed->path);
}

static void drop_vanished(struct br_listing *listing)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (listing->items[i].path)
			listing->items[kept++] = listing->items[i];
	listing->count = kept;
}

bool br_hash_listing(struct br_index *index, int root_fd,
	struct br_listing *listing, struct br_err *err)
{
	bool is_good = true;
	struct missing missing = { .root_fd = root_fd, .listing = listing };

	look_up(index, &missing);
	if (missing.count > 0) {
		size_t size_bytes = missing.count * sizeof(*missing.found);

		missing.found = br_workers_share(size_bytes);
		hash_missing(&missing);
		for (size_t i = 0; i < missing.count && is_good; i++)
			is_good = take(index, &missing.found[i],
				&listing->items[missing.items[i]], err);
		br_workers_unshare(missing.found, size_bytes);
		drop_vanished(listing);
		br_index_save(index);
	}
	free(missing.items);
	return is_good;
}
