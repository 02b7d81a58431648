/* SPDX-License-Identifier: MIT */
#include "checkout/ready.h"

#include <stddef.h>
#include <stdio.h>

#include "base/clean.h"
#include "base/file.h"
#include "checkout/folder.h"

enum {
	FOLDER_MODE = 0700,
	/* As git has it. */
	FILE_MODE = 0444,
	/* Packing more than this takes longer than starting git. */
	MAX_BYTES = 4 * 1024 * 1024,
};

/* Files on their way from one folder to another. */
struct copying {
	const char *from;
	const char *to;
	size_t count;
	bool has_failed;
};

static void copy_file(void *ctx, int at, const char *name)
{
	struct copying *copying = ctx;
	br_autofree char *from = br_path_join(copying->from, name);
	br_autofree char *to = br_path_join(copying->to, name);
	br_autobuf struct br_buf content = { 0 };
	struct br_err ignored = { 0 };

	(void)at;
	copying->count++;
	if (!br_file_load(from, MAX_BYTES, &content, &ignored) ||
		!br_file_save_new(
			to, FILE_MODE, content.data, content.len, &ignored))
		copying->has_failed = true;
}

/* Gives false where there was nothing to copy, too. */
static bool copy_files(const char *from, const char *to)
{
	struct copying copying = { .from = from, .to = to };

	br_folder_each(from, copy_file, &copying);
	return copying.count > 0 && !copying.has_failed;
}

bool br_ready_take(const char *mirror, const char *key, const char *packs)
{
	br_autofree char *ready = br_path_join(mirror, "ready");
	br_autofree char *kept = br_path_join(ready, key);

	if (copy_files(kept, packs))
		return true;
	(void)br_folder_empty(packs);
	return false;
}

void br_ready_keep(const char *mirror, const char *key, const char *packs)
{
	br_autofree char *ready = br_path_join(mirror, "ready");
	br_autofree char *kept = br_path_join(ready, key);
	br_autofree char *partial = br_path_join(ready, "partial");
	struct br_err ignored = { 0 };

	/* What is there under its key is whole, whenever this is cut short. */
	if (br_folder_empty(ready) &&
		br_folder_make(ready, FOLDER_MODE, &ignored) &&
		br_folder_make(partial, FOLDER_MODE, &ignored) &&
		copy_files(packs, partial))
		(void)rename(partial, kept);
}
