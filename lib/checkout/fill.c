/* SPDX-License-Identifier: MIT */
/* What a work tree is filled with: its `.git`, and the files. */
#include <string.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "checkout/folder.h"
#include "checkout/ready.h"
#include "checkout/repository.h"
#include "checkout/tree.h"

enum { FOLDER_MODE = 0755, FILE_MODE = 0644, SHA1_LEN = 40 };

/* As `git clone --depth 1 --single-branch` would have it. */
static void add_config(struct br_buf *config, const struct br_gits *gits,
	const struct br_found *found)
{
	bool has_sha256 = strlen(found->commit) > SHA1_LEN;

	br_buf_addf(config,
		"[core]\n"
		"\trepositoryformatversion = %d\n"
		"\tfilemode = true\n"
		"\tbare = false\n"
		"\tlogallrefupdates = true\n"
		"%s"
		"[remote \"origin\"]\n"
		"\turl = ",
		has_sha256 ? 1 : 0,
		has_sha256 ? "[extensions]\n\tobjectformat = sha256\n" : "");
	br_repository_quote(config, gits->repo->address);
	br_buf_add_char(config, '\n');
	if (found->kind != BR_REF_BRANCH)
		return;

	br_autobuf struct br_buf fetch = { 0 };
	br_autobuf struct br_buf merge = { 0 };
	br_buf_addf(&fetch, "+refs/heads/%s:refs/remotes/origin/%s",
		found->name, found->name);
	br_buf_addf(&merge, "refs/heads/%s", found->name);
	br_buf_add_text(config, "\tfetch = ");
	br_repository_quote(config, fetch.data);
	br_buf_add_text(config, "\n[branch ");
	br_repository_quote(config, found->name);
	br_buf_add_text(config, "]\n\tremote = origin\n\tmerge = ");
	br_repository_quote(config, merge.data);
	br_buf_add_char(config, '\n');
}

static void add_head(struct br_buf *head, const struct br_found *found)
{
	if (found->kind == BR_REF_BRANCH)
		br_buf_addf(head, "ref: refs/heads/%s\n", found->name);
	else
		br_buf_addf(head, "%s\n", found->commit);
}

/* All references are packed ones: no name is too long for a file then. */
static void add_refs(struct br_buf *refs, const struct br_found *found)
{
	br_buf_add_text(
		refs, "# pack-refs with: peeled fully-peeled sorted \n");
	if (found->kind == BR_REF_BRANCH)
		br_buf_addf(refs,
			"%s refs/heads/%s\n"
			"%s refs/remotes/origin/%s\n",
			found->commit, found->name, found->commit, found->name);
	if (found->kind != BR_REF_TAG)
		return;
	br_buf_addf(refs, "%s refs/tags/%s\n", found->object, found->name);
	if (strcmp(found->object, found->commit) != 0)
		br_buf_addf(refs, "^%s\n", found->commit);
}

static bool write_file(const struct br_tree *tree, const char *name,
	const struct br_buf *text, struct br_err *err)
{
	br_autofree char *path = br_path_join(tree->git_dir, name);

	return br_file_save_new(path, FILE_MODE, text->data, text->len, err);
}

static bool make_repository(const struct br_tree *tree,
	const struct br_gits *gits, const struct br_found *found,
	struct br_err *err)
{
	br_autobuf struct br_buf config = { 0 };
	br_autobuf struct br_buf head = { 0 };
	br_autobuf struct br_buf refs = { 0 };
	br_autobuf struct br_buf shallow = { 0 };

	add_config(&config, gits, found);
	add_head(&head, found);
	add_refs(&refs, found);
	/* The commit's parents are not there. */
	br_buf_addf(&shallow, "%s\n", found->commit);
	return br_folder_make(tree->work, FOLDER_MODE, err) &&
		br_repository_make(
			tree->git_dir, config.data, head.data, err) &&
		write_file(tree, "packed-refs", &refs, err) &&
		write_file(tree, "shallow", &shallow, err);
}

/* What the packs of a tree depend on. The caller frees it. */
static char *name_packs(const struct br_found *found)
{
	return br_format("%s-%s", found->commit,
		found->kind == BR_REF_TAG ? found->object : "none");
}

static bool make_pack(const struct br_gits *gits, const char *mirror,
	const struct br_found *found, const char *packs, struct br_err *err)
{
	br_autofree char *pack = br_path_join(packs, "pack");
	/* Deltas are taken over as they are, and none are looked for. */
	const char *const args[] = { "pack-objects", "-q", "--revs",
		"--window=0", "--threads=1", pack, NULL };
	br_autobuf struct br_buf input = { 0 };
	br_autobuf struct br_buf output = { 0 };

	/* Where the mirror has more of the history, this cuts it off. */
	br_buf_addf(&input, "--shallow %s\n%s\n", found->commit, found->commit);
	if (found->kind == BR_REF_TAG)
		br_buf_addf(&input, "%s\n", found->object);

	const struct br_git_call call = {
		.git_dir = mirror,
		.args = args,
		.input = br_buf_text(&input),
	};
	return br_git_run(gits, &call, &output, err);
}

bool br_tree_pack(struct br_tree *tree, const struct br_gits *gits,
	const char *mirror, const struct br_found *found, struct br_err *err)
{
	br_autofree char *packs = br_path_join(tree->git_dir, "objects/pack");
	br_autofree char *key = name_packs(found);

	if (!make_repository(tree, gits, found, err))
		return false;
	if (br_ready_take(mirror, key, packs))
		return true;
	if (!make_pack(gits, mirror, found, packs, err))
		return false;
	br_ready_keep(mirror, key, packs);
	return true;
}

/* Say whether it was not for lack of space that a file could not be written. */
static bool has_space(const char *folder)
{
	enum { LITTLE_BYTES = 1024 * 1024 };
	struct statvfs status;

	return statvfs(folder, &status) == 0 &&
		status.f_bavail * status.f_frsize > LITTLE_BYTES;
}

bool br_tree_fill(struct br_tree *tree, const struct br_gits *gits,
	const struct br_found *found, struct br_err *err)
{
	const char *const args[] = { "read-tree", "--reset", "-u",
		found->commit, NULL };
	const struct br_git_call call = {
		.git_dir = tree->git_dir,
		.work_tree = tree->work,
		.args = args,
	};
	br_autobuf struct br_buf output = { 0 };

	if (br_git_run(gits, &call, &output, err))
		return true;
	if (gits->max_file_bytes > 0 && strstr(err->text, "unable to write") &&
		has_space(tree->work))
		err->code = BR_EINPUT;
	return false;
}
