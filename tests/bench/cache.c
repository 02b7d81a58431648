/* SPDX-License-Identifier: MIT */
/*
 * cache - what the stage cache does, part by part, each with the time that it took.
 *
 *	cache look STORE PROJECT GLOB...      list files, hash them, make a key of them
 *	cache put STORE PROJECT GLOB...       store them as outputs
 *	cache restore STORE PROJECT GLOB...   put back what `put` stored; globs are ignored
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "cache/globs.h"
#include "cache/hash.h"
#include "cache/key.h"
#include "cache/listing.h"
#include "cache/store.h"

static const uint8_t identity[BR_HASH_BYTES] = { 1 };

struct bench {
	struct br_store *store;
	struct br_globs *globs;
	int project_fd;
	/* When the last part ended. */
	double last_ms;
};

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void tell(struct bench *bench, const char *part)
{
	double ms = now_ms();

	(void)printf("%s %.1f ms  ", part, ms - bench->last_ms);
	bench->last_ms = ms;
}

static bool look(struct bench *bench, struct br_err *err)
{
	br_autolisting struct br_listing listing = { 0 };
	br_autokey struct br_cache_key key = { 0 };
	uint8_t digest[BR_HASH_BYTES];

	if (!br_listing_find(
		    bench->project_fd, bench->globs, false, &listing, err))
		return false;
	tell(bench, "list");
	if (!br_hash_listing(br_store_index(bench->store), bench->project_fd,
		    &listing, err))
		return false;
	tell(bench, "hash");
	br_cache_key_add_listing(&key, &listing);
	br_cache_key_end(&key, digest);
	tell(bench, "key");
	(void)printf("%zu files", listing.count);
	return true;
}

static bool put(struct bench *bench, struct br_err *err)
{
	br_autolisting struct br_listing listing = { 0 };

	if (!br_listing_find(
		    bench->project_fd, bench->globs, true, &listing, err))
		return false;
	tell(bench, "list");
	if (!br_store_put(bench->store, identity, bench->project_fd, &listing,
		    br_str(""), err))
		return false;
	tell(bench, "put");
	return true;
}

static bool restore(struct bench *bench, struct br_err *err)
{
	br_autostored struct br_stored result = { 0 };

	if (!br_store_find(bench->store, identity, &result, err))
		return false;
	tell(bench, "find");
	if (!br_store_restore(bench->store, &result, bench->project_fd, err))
		return false;
	tell(bench, "restore");
	return true;
}

static bool run(struct bench *bench, char **argv, struct br_err *err)
{
	if (!br_store_open(argv[2], &bench->store, err))
		return false;
	bench->project_fd = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bench->project_fd < 0)
		return br_fail_errno(err, "open '%s'", argv[3]);
	bench->last_ms = now_ms();
	if (strcmp(argv[1], "look") == 0)
		return look(bench, err);
	if (strcmp(argv[1], "put") == 0)
		return put(bench, err);
	if (strcmp(argv[1], "restore") == 0)
		return restore(bench, err);
	return br_fail(err, BR_EINPUT, "'%s' is nothing to do", argv[1]);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct br_err err = { 0 };
	double start_ms = now_ms();
	bool is_good = false;

	if (argc < 5)
		return 2;
	if (br_globs_new((const char *const *)argv + 4, (size_t)argc - 4,
		    &bench.globs, &err))
		is_good = run(&bench, argv, &err);
	br_globs_free(bench.globs);
	br_store_free(bench.store);
	(void)printf("\nin all %.1f ms\n", now_ms() - start_ms);
	if (!is_good)
		(void)fprintf(stderr, "%s\n", err.text);
	return is_good ? 0 : 1;
}
