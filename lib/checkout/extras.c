/* SPDX-License-Identifier: MIT */
#include "checkout/extras.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "checkout/repo.h"

/* Takes `folder`. */
static void add_folder(struct br_extras *extras, char *folder)
{
	extras->folders = br_grow(extras->folders, extras->count,
		&extras->capacity, sizeof(*extras->folders));
	extras->folders[extras->count++] = folder;
}

void br_extras_init(struct br_extras *extras,
	const struct br_checkout_options *options, const struct br_tree *tree,
	const struct br_gits *gits)
{
	*extras = (struct br_extras){ .options = options, .gits = gits };
	add_folder(extras, br_strdup(tree->work));
}

void br_extras_done(struct br_extras *extras)
{
	for (size_t i = 0; i < extras->count; i++)
		free(extras->folders[i]);
	free(extras->folders);
	*extras = (struct br_extras){ 0 };
}

/* Run git in a work tree: that of a submodule has its `.git`, too. */
static bool run(const struct br_extras *extras, const char *folder,
	const char *const *args, bool is_remote, struct br_buf *output,
	struct br_err *err)
{
	br_autofree char *git_dir = br_path_join(folder, ".git");
	const struct br_git_call call = {
		.git_dir = git_dir,
		.work_tree = folder,
		.args = args,
		.is_remote = is_remote,
	};

	return br_git_run(extras->gits, &call, output, err);
}

/* As run(), for an answer; there being none is none. */
static bool ask(const struct br_extras *extras, const char *folder,
	const char *const *args, struct br_buf *answer, struct br_err *err)
{
	br_autofree char *git_dir = br_path_join(folder, ".git");
	const struct br_git_call call = {
		.git_dir = git_dir,
		.work_tree = folder,
		.args = args,
	};
	int status = 0;

	return br_git_ask(extras->gits, &call, answer, &status, err);
}

/* Say whether the tree has `name`, even as a link that leads nowhere. */
static bool has_entry(const char *folder, const char *name, mode_t *mode)
{
	br_autofree char *path = br_path_join(folder, name);
	struct stat status;

	if (lstat(path, &status) < 0)
		return false;
	*mode = status.st_mode;
	return true;
}

static bool check_address(
	const struct br_extras *extras, const char *address, struct br_err *err)
{
	const struct br_checkout_options *options = extras->options;
	br_autorepo struct br_repo repo = { 0 };

	return br_repo_parse(address, options->allowed_protocols, &repo, err) &&
		(!options->check_repo ||
			options->check_repo(options->check_ctx, address, err));
}

/* Check each `KEY<LF>ADDRESS<NUL>`, as `git config -z` has them. */
static bool check_addresses(const struct br_extras *extras,
	const struct br_buf *entries, struct br_err *err)
{
	for (size_t at = 0; at < entries->len;) {
		const char *entry = entries->data + at;
		const char *address = strchr(entry, '\n');

		if (address && !check_address(extras, address + 1, err))
			return false;
		at += strlen(entry) + 1;
	}
	return true;
}

/* Submodules. */

/* What git has made of the addresses in `.gitmodules`, which may be relative. */
static bool check_submodules(
	const struct br_extras *extras, const char *folder, struct br_err *err)
{
	static const char *const init[] = { "submodule", "--quiet", "init",
		NULL };
	static const char *const list[] = { "config", "--local", "-z",
		"--get-regexp", "^submodule\\..*\\.url$", NULL };
	br_autobuf struct br_buf output = { 0 };
	br_autobuf struct br_buf addresses = { 0 };

	return run(extras, folder, init, false, &output, err) &&
		ask(extras, folder, list, &addresses, err) &&
		check_addresses(extras, &addresses, err);
}

/* Look at those that are there now in their turn. */
static bool find_submodules(
	struct br_extras *extras, const char *folder, struct br_err *err)
{
	static const char *const args[] = { "submodule", "--quiet", "foreach",
		"printf '%s\\0' \"$sm_path\"", NULL };
	br_autobuf struct br_buf paths = { 0 };

	if (!run(extras, folder, args, false, &paths, err))
		return false;
	for (size_t at = 0; at < paths.len; at += strlen(paths.data + at) + 1) {
		if (extras->count > BR_LIMIT_SUBMODULES)
			return br_fail(err, BR_EINPUT, "there are more than %d",
				BR_LIMIT_SUBMODULES);
		add_folder(extras, br_path_join(folder, paths.data + at));
	}
	return true;
}

static bool fill_submodules(
	struct br_extras *extras, const char *folder, struct br_err *err)
{
	static const char *const update[] = { "submodule", "--quiet", "update",
		"--checkout", "--depth=1", NULL };
	br_autobuf struct br_buf output = { 0 };
	mode_t mode = 0;

	if (!has_entry(folder, ".gitmodules", &mode))
		return true;
	return check_submodules(extras, folder, err) &&
		run(extras, folder, update, true, &output, err) &&
		find_submodules(extras, folder, err);
}

bool br_extras_submodules(struct br_extras *extras, struct br_err *err)
{
	/* The list grows as it is gone through. */
	for (size_t i = 0; i < extras->count; i++)
		if (!fill_submodules(extras, extras->folders[i], err))
			return br_wrap(err, "submodules");
	return true;
}

/* Git LFS. */

/* git-lfs would read files of this machine where `.lfsconfig` names them. */
static bool check_lfs_server(
	const struct br_extras *extras, const char *folder, struct br_err *err)
{
	static const char *const args[] = { "config", "--file", ".lfsconfig",
		"-z", "--get-regexp", "url$", NULL };
	br_autobuf struct br_buf answer = { 0 };
	mode_t mode = 0;

	if (!has_entry(folder, ".lfsconfig", &mode))
		return true;
	if (!S_ISREG(mode))
		return br_fail(
			err, BR_EINPUT, "'.lfsconfig' is not a regular file");
	return ask(extras, folder, args, &answer, err) &&
		(check_addresses(extras, &answer, err) ||
			br_wrap(err, "'.lfsconfig'"));
}

static bool fill_lfs(const struct br_extras *extras, const char *folder,
	const char *mirror, struct br_err *err)
{
	/* In a local repository it would name the place of its files, too. */
	bool is_local = strcmp(extras->gits->repo->protocol, "file") == 0;
	br_autofree char *storage = br_format("lfs.storage=%s%s",
		is_local ? "" : mirror, is_local ? "" : "/lfs");
	/* With its filter git sees the files as unchanged afterwards. */
	const char *const args[] = { "-c", storage, "-c",
		"filter.lfs.process=git-lfs filter-process", "lfs", "pull",
		NULL };
	br_autobuf struct br_buf output = { 0 };

	return check_lfs_server(extras, folder, err) &&
		run(extras, folder, args, true, &output, err);
}

bool br_extras_lfs(
	const struct br_extras *extras, const char *mirror, struct br_err *err)
{
	for (size_t i = 0; i < extras->count; i++) {
		if (fill_lfs(extras, extras->folders[i], mirror, err))
			continue;
		if (strstr(err->text, "'lfs' is not a git command"))
			return br_fail(err, BR_EUNAVAIL,
				"git-lfs is not installed here");
		return br_wrap(err, "LFS");
	}
	return true;
}
