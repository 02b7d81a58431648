/* SPDX-License-Identifier: MIT */
/*
 * cache INDEX FOLDER GLOB... - what the stage cache does before a stage: list the files
 * that the globs choose, and find their hashes. Prints a line with the time of each part.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "cache/globs.h"
#include "cache/hash.h"
#include "cache/index.h"
#include "cache/listing.h"

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool measure(const char *index_path, int root_fd, struct br_globs *globs,
	struct br_err *err)
{
	br_autolisting struct br_listing listing = { 0 };
	double start_ms = now_ms();

	if (!br_listing_find(root_fd, globs, false, &listing, err))
		return false;

	double listed_ms = now_ms();
	br_auto(br_index) struct br_index *index = br_index_open(index_path);
	double opened_ms = now_ms();
	if (!br_hash_listing(index, root_fd, &listing, err))
		return false;
	(void)printf("%zu files: list %.1f, open index %.1f, hash %.1f, "
		     "in all %.1f ms\n",
		listing.count, listed_ms - start_ms, opened_ms - listed_ms,
		now_ms() - opened_ms, now_ms() - start_ms);
	return true;
}

int main(int argc, char **argv)
{
	br_auto(br_globs) struct br_globs *globs = NULL;
	struct br_err err = { 0 };

	if (argc < 4)
		return 2;

	br_autoclose int root_fd =
		open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		perror(argv[2]);
		return 1;
	}
	if (!br_globs_new((const char *const *)argv + 3, (size_t)argc - 3,
		    &globs, &err) ||
		!measure(argv[1], root_fd, globs, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}
