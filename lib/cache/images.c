/* SPDX-License-Identifier: MIT */
#include "cache/images.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/str.h"
#include "cache/blobs.h"
#include "cache/store_private.h"

enum {
	FOLDER_MODE = 0700,
	/* `sha256:` and 64 digits, whatever else an engine may come up with. */
	DIGEST_MAX = 512,
	/* `images/HASH`, with the NUL. */
	PATH_BYTES = 7 + BR_HASH_TEXT_BYTES,
};

static void find_path(
	const char *engine, const char *image, char path[PATH_BYTES])
{
	br_autofree char *name = br_format("%s\n%s", engine, image);
	uint8_t digest[BR_HASH_BYTES];
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_bytes(name, strlen(name), digest);
	br_hash_format(digest, hex);
	(void)snprintf(path, PATH_BYTES, "images/%s", hex);
}

bool br_images_save(struct br_store *store, const char *engine,
	const char *image, const char *digest, struct br_err *err)
{
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	char path[PATH_BYTES];
	br_autoclose int fd = br_blob_make_temporary(store->fd, temporary);

	if (fd < 0)
		return br_fail_errno(err, "make a file in the cache");
	find_path(engine, image, path);
	/* What is wrong with it, the rename will say. */
	(void)mkdirat(store->fd, "images", FOLDER_MODE);
	if (br_file_write(fd, digest, strlen(digest), err))
		return br_blob_publish(store->fd, temporary, path, err);
	(void)unlinkat(store->fd, temporary, 0);
	return br_wrap(err, "remember image '%s'", image);
}

bool br_images_find(struct br_store *store, const char *engine,
	const char *image, char **digest)
{
	char path[PATH_BYTES];
	br_autofree char *whole = NULL;
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	find_path(engine, image, path);
	whole = br_path_join(store->folder, path);
	/* A crash may have left it without content, or with zeros. */
	if (!br_file_load(whole, DIGEST_MAX, &text, &err) ||
		!br_has_prefix(br_buf_text(&text), "sha256:"))
		return false;
	(void)utimensat(store->fd, path, NULL, AT_SYMLINK_NOFOLLOW);
	*digest = br_buf_take(&text);
	return true;
}
