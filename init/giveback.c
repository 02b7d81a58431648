/* SPDX-License-Identifier: MIT */
#include "init/giveback.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/mem.h"
#include "init/walk.h"

uint32_t id_map_find(const char *map, uint64_t host_id)
{
	uint64_t inside;
	uint64_t outside;
	uint64_t count;
	int used = 0;

	/* Lines of three numbers: first inside, first outside, how many. */
	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	while (sscanf(map, "%" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &inside,
		       &outside, &count, &used) == 3) {
		if (host_id >= outside && host_id - outside < count)
			return (uint32_t)(inside + (host_id - outside));
		map += used;
	}
	return 0;
}

static uint32_t translate(const char *path, uint64_t host_id)
{
	/* The kernel takes 340 lines; 4 KiB hold all that engines write. */
	char map[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return (uint32_t)host_id;

	ssize_t n = read(fd, map, sizeof(map) - 1);
	(void)close(fd);
	if (n <= 0)
		return (uint32_t)host_id;
	map[n] = '\0';
	return id_map_find(map, host_id);
}

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
		.uid = translate("/proc/self/uid_map", uid),
		.gid = translate("/proc/self/gid_map", gid),
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
