/* SPDX-License-Identifier: MIT */
#include "cache/file_facts.h"

#include <time.h>

#define SECOND_NS INT64_C(1000000000)

enum {
	/* The kernel stamps files by its tick: 10 ms at most (CONFIG_HZ=100). */
	TICK_NS = 20 * 1000 * 1000,
	/* A stamp without a fraction may be of FAT, which has every other second. */
	COARSE_SECONDS = 2,
};

static int64_t to_ns(struct timespec time)
{
	return (int64_t)time.tv_sec * SECOND_NS + time.tv_nsec;
}

struct br_file_facts br_file_facts_of(const struct stat *status)
{
	return (struct br_file_facts){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size_bytes = status->st_size,
		.mtime_ns = to_ns(status->st_mtim),
		.ctime_ns = to_ns(status->st_ctim),
	};
}

bool br_file_facts_are_equal(
	const struct br_file_facts *a, const struct br_file_facts *b)
{
	return a->device == b->device && a->inode == b->inode &&
		a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
		a->ctime_ns == b->ctime_ns;
}

static bool is_settled(int64_t stamp_ns, int64_t looked_ns)
{
	int64_t grain_ns = stamp_ns % SECOND_NS == 0
		? COARSE_SECONDS * SECOND_NS
		: TICK_NS;

	return stamp_ns < looked_ns - grain_ns;
}

bool br_file_facts_are_settled(
	const struct br_file_facts *facts, int64_t looked_ns)
{
	return is_settled(facts->mtime_ns, looked_ns) &&
		is_settled(facts->ctime_ns, looked_ns);
}

int64_t br_file_facts_now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return to_ns(now);
}
