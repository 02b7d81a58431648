/* SPDX-License-Identifier: MIT */
#include "checkout/extras.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "checkout/repo.h"

/* Say whether the tree has `name`, even as a link that leads nowhere. */
static bool has_entry(
	const struct br_tree *tree, const char *name, mode_t *mode)
{
	br_autofree char *path = br_path_join(tree->work, name);
	struct stat status;

	if (lstat(path, &status) < 0)
		return false;
	*mode = status.st_mode;
	return true;
}

bool br_extras_submodules(const struct br_tree *tree,
	const struct br_gits *gits, struct br_err *err)
{
	static const char *const args[] = { "submodule", "--quiet", "update",
		"--init", "--recursive", "--checkout", "--depth=1", NULL };
	const struct br_git_call call = {
		.git_dir = tree->git_dir,
		.work_tree = tree->work,
		.args = args,
		.is_remote = true,
	};
	br_autobuf struct br_buf output = { 0 };
	mode_t mode = 0;

	if (!has_entry(tree, ".gitmodules", &mode))
		return true;
	return br_git_run(gits, &call, &output, err) ||
		br_wrap(err, "submodules");
}

/* Check each `KEY ADDRESS` line. */
static bool check_addresses(
	char *lines, const char *const *extra_protocols, struct br_err *err)
{
	char *rest = lines;
	char *line = NULL;

	while ((line = strsep(&rest, "\n"))) {
		const char *blank = strchr(line, ' ');
		br_autorepo struct br_repo repo = { 0 };

		if (blank &&
			!br_repo_parse(blank + 1, extra_protocols, &repo, err))
			return false;
	}
	return true;
}

/* git-lfs would read files of this machine where `.lfsconfig` names them. */
static bool check_lfs_server(const struct br_tree *tree,
	const struct br_gits *gits, const char *const *extra_protocols,
	struct br_err *err)
{
	static const char *const args[] = { "config", "--file", ".lfsconfig",
		"--get-regexp", "url$", NULL };
	const struct br_git_call call = {
		.git_dir = tree->git_dir,
		.work_tree = tree->work,
		.args = args,
	};
	br_autobuf struct br_buf answer = { 0 };
	mode_t mode = 0;
	int status = 0;

	if (!has_entry(tree, ".lfsconfig", &mode))
		return true;
	if (!S_ISREG(mode))
		return br_fail(
			err, BR_EINPUT, "'.lfsconfig' is not a regular file");
	if (!br_git_ask(gits, &call, &answer, &status, err))
		return false;
	return answer.len == 0 ||
		check_addresses(answer.data, extra_protocols, err) ||
		br_wrap(err, "'.lfsconfig'");
}

bool br_extras_lfs(const struct br_tree *tree, const struct br_gits *gits,
	const char *mirror, const char *const *extra_protocols,
	struct br_err *err)
{
	/* In a local repository it would name the place of its files, too. */
	bool is_local = strcmp(gits->repo->protocol, "file") == 0;
	br_autofree char *storage = br_format("lfs.storage=%s%s",
		is_local ? "" : mirror, is_local ? "" : "/lfs");
	/* With its filter git sees the files as unchanged afterwards. */
	const char *const args[] = { "-c", storage, "-c",
		"filter.lfs.process=git-lfs filter-process", "lfs", "pull",
		NULL };
	const struct br_git_call call = {
		.git_dir = tree->git_dir,
		.work_tree = tree->work,
		.args = args,
		.is_remote = true,
	};
	br_autobuf struct br_buf output = { 0 };

	if (!check_lfs_server(tree, gits, extra_protocols, err))
		return br_wrap(err, "LFS");
	if (br_git_run(gits, &call, &output, err))
		return true;
	if (strstr(err->text, "'lfs' is not a git command"))
		return br_fail(err, BR_ESYSTEM, "git-lfs is not installed");
	return br_wrap(err, "LFS");
}
