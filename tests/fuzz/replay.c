/* SPDX-License-Identifier: MIT */
/*
 * replay.c - runs a fuzz target over the files of a folder, without libFuzzer.
 *
 * Each file of a corpus is an input that was once worth keeping. A folder that is
 * missing or empty fails: it would prove nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"

enum { INPUT_MAX_BYTES = 4 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *folder, const char *name)
{
	br_autofree char *path = br_path_join(folder, name);
	br_autobuf struct br_buf input = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, INPUT_MAX_BYTES, &input, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return false;
	}
	(void)LLVMFuzzerTestOneInput(
		(const uint8_t *)br_buf_text(&input), input.len);
	return true;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	size_t replayed = 0;
	bool is_good = folder != NULL;

	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry;
		entry = readdir(folder)) {
		if (entry->d_name[0] == '.')
			continue;
		is_good = replay_file(argv[1], entry->d_name) && is_good;
		replayed++;
	}
	if (folder)
		(void)closedir(folder);
	(void)printf("%zu inputs replayed\n", replayed);
	return is_good && replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
