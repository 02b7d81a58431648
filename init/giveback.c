/* SPDX-License-Identifier: MIT */
#include "init/giveback.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/id_map.h"
#include "init/mem.h"
#include "init/walk.h"

static int compare(const void *left, const void *right)
{
	const struct remembered *a = left;
	const struct remembered *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->birth_ns != b->birth_ns)
		return a->birth_ns < b->birth_ns ? -1 : 1;
	return 0;
}

static struct remembered identity(const struct file_facts *facts)
{
	return (struct remembered){
		.device = facts->device,
		.inode = facts->inode,
		.birth_ns = facts->birth_ns,
	};
}

static bool remember(
	void *ctx, int folder, const char *name, const struct file_facts *facts)
{
	struct giveback *giveback = ctx;

	(void)folder;
	(void)name;
	if (facts->uid == giveback->uid)
		return true;
	giveback->foreign = mem_grow(giveback->foreign, giveback->count,
		&giveback->capacity, sizeof(*giveback->foreign));
	giveback->foreign[giveback->count++] = identity(facts);
	return true;
}

static void sort(struct giveback *giveback)
{
	if (giveback->count > 0)
		qsort(giveback->foreign, giveback->count,
			sizeof(*giveback->foreign), compare);
}

void giveback_init(
	struct giveback *giveback, const char *path, uint64_t uid, uint64_t gid)
{
	size_t len = strlen(path) + 1;

	*giveback = (struct giveback){
		.path = mem_new(len),
		.uid = id_map_uid(uid),
		.gid = id_map_gid(gid),
	};
	memcpy(giveback->path, path, len);
	giveback->is_blind = !walk_tree(path, remember, giveback);
	sort(giveback);
}

static bool is_remembered(
	const struct giveback *giveback, const struct file_facts *facts)
{
	struct remembered wanted = identity(facts);

	return giveback->count > 0 &&
		bsearch(&wanted, giveback->foreign, giveback->count,
			sizeof(wanted), compare);
}

static bool give(
	void *ctx, int folder, const char *name, const struct file_facts *facts)
{
	const struct giveback *giveback = ctx;

	if (giveback->deadline_us > 0 && clock_now_us() > giveback->deadline_us)
		return false;
	if (facts->uid != giveback->uid && !is_remembered(giveback, facts))
		(void)!fchownat(folder, name, giveback->uid, giveback->gid,
			AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
	return true;
}

bool giveback_run(struct giveback *giveback, int64_t limit_us)
{
	if (!giveback->path)
		return true;
	if (giveback->is_blind)
		return false;
	giveback->deadline_us = limit_us > 0 ? clock_now_us() + limit_us : 0;
	return walk_tree(giveback->path, give, giveback);
}

void giveback_done(struct giveback *giveback)
{
	free(giveback->path);
	free(giveback->foreign);
	*giveback = (struct giveback){ 0 };
}
