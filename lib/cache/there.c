/* SPDX-License-Identifier: MIT */
#include "cache/there.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/limits.h"
#include "cache/beneath.h"
#include "cache/index.h"
#include "cache/listing.h"

/* Add the file to `found` if it has the right kind and size. */
static void look_at_file(
	int root_fd, const struct br_listed *wanted, struct br_listing *found)
{
	struct stat status;
	br_autoclose int fd =
		br_beneath_open(root_fd, wanted->path, O_PATH | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
		status.st_size != wanted->facts.size_bytes)
		return;

	struct br_listed *listed =
		br_listing_add(found, wanted->path, BR_LISTED_FILE);
	listed->mode = status.st_mode & 07777;
	listed->facts = br_file_facts_of(&status);
}

/* The kernel opens no link beneath a folder: it is looked at from its own. */
static bool is_same_link(int root_fd, const struct br_listed *wanted)
{
	char target[BR_LIMIT_PATH_BYTES];
	const char *slash = strrchr(wanted->path, '/');
	size_t len = slash ? (size_t)(slash - wanted->path) : 0;
	br_autofree char *parent = br_memdup(wanted->path, len);
	br_autoclose int fd =
		br_beneath_open(root_fd, parent, O_PATH | O_DIRECTORY);
	ssize_t count = -1;

	if (fd >= 0)
		count = readlinkat(fd, slash ? slash + 1 : wanted->path, target,
			sizeof(target));
	return count >= 0 && (size_t)count == strlen(wanted->target) &&
		memcmp(target, wanted->target, (size_t)count) == 0;
}

static bool set_mode(int root_fd, const struct br_listed *wanted)
{
	br_autoclose int fd = br_beneath_open(
		root_fd, wanted->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd >= 0 && fchmod(fd, wanted->mode) == 0;
}

/* Both are sorted, and everything in `found` is in `outputs`. */
static void compare(int root_fd, const struct br_listing *outputs,
	const struct br_listing *found, bool *are_there)
{
	size_t at = 0;

	for (size_t i = 0; i < outputs->count && at < found->count; i++) {
		const struct br_listed *wanted = &outputs->items[i];
		const struct br_listed *listed = &found->items[at];

		if (strcmp(wanted->path, listed->path) != 0)
			continue;
		at++;
		are_there[i] = memcmp(wanted->digest, listed->digest,
				       BR_HASH_BYTES) == 0 &&
			(wanted->mode == listed->mode ||
				set_mode(root_fd, wanted));
	}
}

bool br_there_find(struct br_index *index, int root_fd,
	const struct br_listing *outputs, bool *are_there)
{
	br_autolisting struct br_listing found = { 0 };
	struct br_err err = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < outputs->count; i++) {
		const struct br_listed *wanted = &outputs->items[i];

		if (wanted->kind == BR_LISTED_FILE)
			look_at_file(root_fd, wanted, &found);
		else if (wanted->kind == BR_LISTED_LINK)
			are_there[i] = is_same_link(root_fd, wanted);
	}
	/* What cannot be read is put back. */
	if (br_hash_listing(index, root_fd, &found, &err))
		compare(root_fd, outputs, &found, are_there);
	for (size_t i = 0; i < outputs->count; i++)
		count += are_there[i];
	return count == outputs->count;
}
