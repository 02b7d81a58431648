/* SPDX-License-Identifier: MIT */
#include "checkout/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/sha256.h"
#include "checkout/folder.h"
#include "checkout/lock.h"
#include "checkout/repository.h"

enum {
	FILE_MODE = 0600,
	/* With more packs than that, looking for an object takes long. */
	PACKS_MAX = 50,
	/* A branch that has not changed since goes when the mirror is packed. */
	UNUSED_SECONDS = 14 * 24 * 3600,
	REF_MAX_BYTES = 4096,
};

bool br_mirror_open(const char *mirrors, const char *key,
	struct br_mirror *mirror, struct br_err *err)
{
	br_autofree char *lock = br_format("%s/%s.lock", mirrors, key);
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return br_fail_errno(err, "open '%s'", lock);
	*mirror = (struct br_mirror){
		.folder = br_format("%s/%s", mirrors, key),
		.lock_fd = fd,
	};
	return true;
}

void br_mirror_unlock(struct br_mirror *mirror)
{
	/* Closing is not enough: the guard has it open as well. */
	if (mirror->lock_fd >= 0)
		(void)flock(mirror->lock_fd, LOCK_UN);
}

void br_mirror_close(struct br_mirror *mirror)
{
	br_mirror_unlock(mirror);
	br_clean_close(&mirror->lock_fd);
	free(mirror->folder);
	*mirror = (struct br_mirror){ .lock_fd = -1 };
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text);
	size_t suffix_len = strlen(suffix);

	return len >= suffix_len &&
		strcmp(text + len - suffix_len, suffix) == 0;
}

static void remove_lock(void *ctx, int at, const char *name)
{
	(void)ctx;
	if (has_suffix(name, ".lock"))
		(void)unlinkat(at, name, 0);
}

static void remove_part(void *ctx, int at, const char *name)
{
	(void)ctx;
	if (br_has_prefix(name, "tmp_") || br_has_prefix(name, ".tmp-"))
		(void)unlinkat(at, name, 0);
}

/* A git that was killed leaves locks that the next would respect, and parts of packs. */
static void remove_leftovers(const struct br_mirror *mirror)
{
	br_autofree char *refs = br_path_join(mirror->folder, "refs/buildr");
	br_autofree char *packs = br_path_join(mirror->folder, "objects/pack");

	br_folder_each(mirror->folder, remove_lock, NULL);
	br_folder_each(refs, remove_lock, NULL);
	br_folder_each(packs, remove_part, NULL);
}

bool br_mirror_make(
	struct br_mirror *mirror, bool has_sha256, struct br_err *err)
{
	const char *config = "[core]\n"
			     "\trepositoryformatversion = 0\n"
			     "\tbare = true\n";

	if (has_sha256)
		config = "[core]\n"
			 "\trepositoryformatversion = 1\n"
			 "\tbare = true\n"
			 "[extensions]\n"
			 "\tobjectformat = sha256\n";
	if (!br_folder_remove(mirror->folder))
		return br_fail(err, BR_ESYSTEM, "remove '%s': files are left",
			mirror->folder);
	return br_repository_make(
		mirror->folder, config, "ref: refs/heads/none\n", err);
}

bool br_mirror_lock(struct br_mirror *mirror, const struct br_gits *gits,
	bool is_anew, struct br_err *err)
{
	if (!br_lock_take(mirror->lock_fd, false, gits->deadline_ms,
		    gits->cancel_fd, err))
		return br_wrap(err, "mirror");
	/* Now is when it was used last: see br_checkout_prune(). */
	(void)futimens(mirror->lock_fd, NULL);
	if (is_anew || !br_repository_is_made(mirror->folder))
		return br_mirror_make(mirror, false, err);
	remove_leftovers(mirror);
	return true;
}

int64_t br_mirror_used(const struct br_mirror *mirror)
{
	struct stat status;

	return fstat(mirror->lock_fd, &status) == 0 ? status.st_mtime : 0;
}

bool br_mirror_remove(const struct br_mirror *mirror)
{
	br_autofree char *head = br_path_join(mirror->folder, "HEAD");

	/* Without it it is none: whatever comes in between, the rest is not used. */
	(void)unlink(head);
	return br_folder_remove(mirror->folder);
}

bool br_mirror_share(struct br_mirror *mirror, const struct br_gits *gits,
	struct br_err *err)
{
	return br_lock_take(mirror->lock_fd, true, gits->deadline_ms,
		       gits->cancel_fd, err) ||
		br_wrap(err, "mirror");
}

/* Our own name for a reference of theirs. The caller frees it. */
static char *name_ref(const char *remote_ref)
{
	uint8_t digest[BR_SHA256_BYTES];
	char text[BR_SHA256_TEXT_BYTES];
	struct br_sha256 sha;

	br_sha256_init(&sha);
	br_sha256_feed(&sha, remote_ref, strlen(remote_ref));
	br_sha256_end(&sha, digest);
	br_sha256_format(digest, text);
	return br_format("refs/buildr/%s", text);
}

bool br_mirror_find(const struct br_mirror *mirror, const char *remote_ref,
	char object[BR_OBJECT_TEXT_BYTES])
{
	br_autofree char *ref = name_ref(remote_ref);
	br_autofree char *path = br_path_join(mirror->folder, ref);
	br_autobuf struct br_buf text = { 0 };
	struct br_err ignored = { 0 };

	if (!br_file_load(path, REF_MAX_BYTES, &text, &ignored))
		return false;

	size_t len = strspn(br_buf_text(&text), "0123456789abcdef");
	if (len == 0 || len >= BR_OBJECT_TEXT_BYTES)
		return false;
	memcpy(object, text.data, len);
	object[len] = '\0';
	return true;
}

bool br_mirror_fetch(struct br_mirror *mirror, const struct br_gits *gits,
	const char *remote_ref, int depth, char object[BR_OBJECT_TEXT_BYTES],
	struct br_err *err)
{
	br_autofree char *ref = name_ref(remote_ref);
	br_autofree char *refspec = br_format("+%s:%s", remote_ref, ref);
	/* A second --no-tags does nothing. */
	br_autofree char *how_deep = depth > 0 ? br_format("--depth=%d", depth)
					       : br_strdup("--no-tags");
	const char *const args[] = { "fetch", "--quiet", how_deep, "--no-tags",
		"--force", "--no-write-fetch-head", "--no-recurse-submodules",
		"--", gits->repo->address, refspec, NULL };
	const struct br_git_call call = {
		.git_dir = mirror->folder,
		.args = args,
		.is_remote = true,
	};
	br_autobuf struct br_buf output = { 0 };

	if (!br_git_run(gits, &call, &output, err))
		return false;
	return br_mirror_find(mirror, remote_ref, object) ||
		br_fail(err, BR_EPROTO, "git fetched nothing");
}

static void count_pack(void *ctx, int at, const char *name)
{
	int *count = ctx;

	(void)at;
	if (has_suffix(name, ".pack"))
		(*count)++;
}

static void remove_unused(void *ctx, int at, const char *name)
{
	const time_t *now = ctx;
	struct stat status;

	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(status.st_mode) &&
		*now - status.st_mtime > UNUSED_SECONDS)
		(void)unlinkat(at, name, 0);
}

void br_mirror_tidy(struct br_mirror *mirror, const struct br_gits *gits)
{
	static const char *const args[] = { "repack", "-a", "-d", "-q", NULL };
	br_autofree char *refs = br_path_join(mirror->folder, "refs/buildr");
	br_autofree char *packs = br_path_join(mirror->folder, "objects/pack");
	const struct br_git_call call = { .git_dir = mirror->folder,
		.args = args };
	br_autobuf struct br_buf output = { 0 };
	int count = 0;
	struct br_err ignored = { 0 };
	time_t now = time(NULL);

	br_folder_each(packs, count_pack, &count);
	if (count <= PACKS_MAX)
		return;
	br_folder_each(refs, remove_unused, &now);
	/* What cannot be packed is fetched anew by the next job. */
	if (!br_git_run(gits, &call, &output, &ignored))
		(void)br_folder_remove(mirror->folder);
}
