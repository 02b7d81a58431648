/* SPDX-License-Identifier: MIT */
/*
 * restore.c - putting outputs back.
 *
 * In three steps. What is there already, and the same, needs nothing (there.c). What is
 * left is copied into a folder of our own in the project and checked, by its sum, by as many
 * processes as there are processors; so far nothing has been changed. Then each file is
 * moved to its place by one rename (place.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/limits.h"
#include "cache/blobs.h"
#include "cache/place.h"
#include "cache/store.h"
#include "cache/store_private.h"
#include "cache/there.h"
#include "cache/workers.h"

enum {
	/* Below both, a second process is not worth its start. */
	ALONE_BYTES = 1024 * 1024,
	ALONE_FILES = 64,
	/* From here on one process copies while another one checks. */
	SPLIT_BYTES = 1024 * 1024,
};

/* Two for each output, since large ones are copied and checked side by side. */
enum job {
	JOB_COPY,
	JOB_CHECK,
	JOBS,
};

enum outcome {
	OUTCOME_NONE,
	OUTCOME_DONE,
	/* The blob is not there, or is not what it should be. */
	OUTCOME_DAMAGED,
	OUTCOME_FAILED,
};

/* In shared memory. */
struct ending {
	enum outcome outcome;
	int error;
};

struct restoring {
	struct br_store *store;
	const struct br_listing *outputs;
	/* One for each output: it need not be copied. */
	const bool *are_there;
	/* Our folder in the project; files are named by their number. */
	int staging_fd;
	/* JOBS for each output. */
	struct ending *endings;
};

static struct ending failed(void)
{
	return (struct ending){ OUTCOME_FAILED, errno };
}

static struct ending judge(bool is_right)
{
	return (struct ending){ is_right ? OUTCOME_DONE : OUTCOME_DAMAGED, 0 };
}

static bool is_split(const struct br_listed *listed)
{
	return listed->facts.size_bytes >= SPLIT_BYTES;
}

/* Check the blob by its sum, or where that is not known by its hash. */
static bool compare(const struct br_listed *listed, int blob_fd, int copy_fd,
	bool *is_right, struct br_err *err)
{
	uint8_t digest[BR_HASH_BYTES];
	uint64_t sum = 0;
	int64_t size_bytes = 0;
	bool has_sum = listed->sum != 0;

	if (has_sum ? !br_hash_sum_fd(blob_fd, copy_fd, &sum, &size_bytes, err)
		    : !br_hash_fd(blob_fd, copy_fd, digest, &size_bytes, err))
		return false;
	*is_right = size_bytes == listed->facts.size_bytes &&
		(has_sum ? sum == listed->sum
			 : memcmp(digest, listed->digest, BR_HASH_BYTES) == 0);
	return true;
}

/* Check the blob, writing it to `copy_fd` too unless that is -1. */
static struct ending check(
	const struct br_listed *listed, int blob_fd, int copy_fd)
{
	bool is_good = false;
	struct br_err err = { 0 };

	return compare(listed, blob_fd, copy_fd, &is_good, &err)
		? judge(is_good)
		: failed();
}

/* Copy within the kernel, or not at all where the file system lets it share blocks. */
static struct ending copy(
	const struct br_listed *listed, int blob_fd, int copy_fd)
{
	int64_t left = listed->facts.size_bytes;

	if (ioctl(copy_fd, FICLONE, blob_fd) == 0)
		return judge(true);
	while (left > 0) {
		ssize_t count = copy_file_range(
			blob_fd, NULL, copy_fd, NULL, (size_t)left, 0);

		if (count < 0 && errno == EINTR)
			continue;
		/* Between two file systems, or on one that cannot. */
		if (count < 0 && left == listed->facts.size_bytes &&
			errno != ENOSPC && errno != EDQUOT)
			return check(listed, blob_fd, copy_fd);
		if (count < 0)
			return failed();
		if (count == 0)
			return judge(false);
		left -= count;
	}
	return judge(true);
}

static struct ending make(const struct restoring *restoring, size_t number,
	const struct br_listed *listed, int blob_fd)
{
	char name[32];
	struct ending ending;

	(void)snprintf(name, sizeof(name), "%zu", number);

	br_autoclose int fd = openat(restoring->staging_fd, name,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed();
	ending = is_split(listed) ? copy(listed, blob_fd, fd)
				  : check(listed, blob_fd, fd);
	if (ending.outcome == OUTCOME_DONE && fchmod(fd, listed->mode) < 0)
		return failed();
	return ending;
}

static void do_job(void *ctx, size_t item)
{
	const struct restoring *restoring = ctx;
	size_t number = item / JOBS;
	const struct br_listed *listed = &restoring->outputs->items[number];
	bool is_check = item % JOBS == JOB_CHECK;
	bool has_work = listed->kind == BR_LISTED_FILE &&
		!restoring->are_there[number] &&
		(!is_check || is_split(listed));

	restoring->endings[item] = judge(true);
	if (!has_work)
		return;

	br_autoclose int blob_fd =
		br_blob_open(restoring->store->fd, listed->digest);
	if (blob_fd < 0)
		restoring->endings[item] =
			errno == ENOENT ? judge(false) : failed();
	else if (is_check)
		restoring->endings[item] = check(listed, blob_fd, -1);
	else
		restoring->endings[item] =
			make(restoring, number, listed, blob_fd);
}

static bool judge_file(
	const struct restoring *restoring, size_t number, struct br_err *err)
{
	const struct br_listed *listed = &restoring->outputs->items[number];

	for (size_t job = 0; job < JOBS; job++) {
		struct ending ending = restoring->endings[number * JOBS + job];

		if (ending.outcome == OUTCOME_DAMAGED) {
			br_blob_drop(restoring->store->fd, listed->digest);
			return br_fail(err, BR_ENOTFOUND,
				"what is stored of '%s' is damaged",
				listed->path);
		}
		errno = ending.error;
		if (ending.outcome != OUTCOME_DONE)
			return br_fail_errno(
				err, "put back '%s'", listed->path);
	}
	return true;
}

static size_t count_workers(const struct restoring *restoring)
{
	size_t files = 0;
	int64_t size_bytes = 0;

	for (size_t i = 0; i < restoring->outputs->count; i++)
		if (restoring->outputs->items[i].kind == BR_LISTED_FILE &&
			!restoring->are_there[i]) {
			files++;
			size_bytes +=
				restoring->outputs->items[i].facts.size_bytes;
		}
	return files < ALONE_FILES && size_bytes < ALONE_BYTES
		? 1
		: br_workers_processors();
}

/* Have every file in our folder, checked. */
static bool copy_all(struct restoring *restoring, struct br_err *err)
{
	bool is_good = true;
	size_t count = restoring->outputs->count;
	size_t shared_bytes = count * JOBS * sizeof(*restoring->endings);

	restoring->endings = br_workers_share(shared_bytes);
	br_workers_run(
		count * JOBS, count_workers(restoring), do_job, restoring);
	for (size_t i = 0; i < count; i++) {
		struct br_err cause = { 0 };

		/* Every damaged blob is to go, not only the first. */
		if (!judge_file(restoring, i, &cause) && is_good) {
			*err = cause;
			is_good = false;
		}
	}
	br_workers_unshare(restoring->endings, shared_bytes);
	return is_good;
}

/* A folder's mode stands in its tree. */
static bool load_folders(struct br_store *store,
	const struct br_listing *outputs, uint32_t *modes, struct br_err *err)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct br_listed *listed = &outputs->items[i];
		br_autobuf struct br_buf tree = { 0 };

		modes[i] = listed->mode;
		if (listed->kind != BR_LISTED_FOLDER)
			continue;
		if (!br_blob_load(store->fd, listed->digest,
			    listed->facts.size_bytes,
			    BR_LIMIT_STORED_TREE_BYTES, &tree, err) ||
			!br_stored_decode_tree(
				tree.data, tree.len, &modes[i], err))
			return false;
	}
	return true;
}

static bool place_all(const struct restoring *restoring,
	struct br_place_folder *places, const uint32_t *modes,
	struct br_err *err)
{
	for (size_t i = 0; i < restoring->outputs->count; i++)
		if (!restoring->are_there[i] &&
			!br_place_output(places, i,
				&restoring->outputs->items[i], modes[i], err))
			return false;
	return true;
}

bool br_store_restore(struct br_store *store, const struct br_stored *result,
	int root_fd, struct br_err *err)
{
	const struct br_listing *outputs = &result->outputs;
	br_autofree bool *are_there =
		br_alloc_array(outputs->count, sizeof(*are_there));
	br_autofree uint32_t *modes =
		br_alloc_array(outputs->count, sizeof(*modes));
	struct restoring restoring = {
		.store = store,
		.outputs = outputs,
		.are_there = are_there,
	};
	struct br_place_folder places = { 0 };
	br_autobuf struct br_buf log = { 0 };

	/* Whoever puts outputs back says again what the steps said. */
	if (!br_store_log(store, result, &log, err) ||
		!load_folders(store, outputs, modes, err))
		return false;
	if (br_there_find(br_store_index(store), root_fd, outputs, are_there))
		return true;
	if (!br_place_open(root_fd, &places, err))
		return false;
	restoring.staging_fd = places.fd;

	bool is_good = copy_all(&restoring, err) &&
		place_all(&restoring, &places, modes, err);
	br_place_close(&places);
	return is_good;
}
