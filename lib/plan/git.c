/* SPDX-License-Identifier: MIT */
/*
 * Of a repository this reads (gitrepository-layout(5)):
 *
 *	.git               a folder, or a file `gitdir: FOLDER` (a linked work tree)
 *	FOLDER/commondir   where everything else is, for a linked work tree
 *	HEAD               `ref: refs/heads/NAME`, or a commit
 *	refs/…             one file a reference, with the object it names
 *	packed-refs        `OBJECT refs/…` lines; `^COMMIT` behind an annotated tag
 */
#include "plan/git.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/process.h"
#include "plan/tags.h"

/* References may name references; git itself follows five. */
enum { SYMBOLIC_MAX = 5 };

/* Cut blanks and line ends off. */
static void trim(struct br_buf *text)
{
	while (text->len > 0 && strchr(" \t\r\n", text->data[text->len - 1]))
		text->data[--text->len] = '\0';
}

/* Read a file of one line; gives false where there is none. */
static bool read_line(const char *folder, const char *name, struct br_buf *line)
{
	br_autofree char *path = br_path_join(folder, name);
	struct br_err err = { 0 };

	br_buf_clear(line);
	if (!br_file_load(path, BR_LIMIT_GIT_FILE_BYTES, line, &err))
		return false;
	trim(line);
	/* Text with a NUL in it is none of git's. */
	return line->len > 0 && strlen(line->data) == line->len;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Give what `.git` in `folder` stands for, or NULL. The caller frees it. */
static char *repository_at(const char *folder)
{
	static const char mark[] = "gitdir: ";
	br_autofree char *dot_git = br_path_join(folder, ".git");
	br_autofree char *named = NULL;
	br_autobuf struct br_buf line = { 0 };

	if (read_line(folder, ".git", &line) && br_has_prefix(line.data, mark))
		named = br_path_join(folder, line.data + strlen(mark));

	const char *repository = named ? named : dot_git;
	return is_folder(repository) && read_line(repository, "HEAD", &line)
		? br_strdup(repository)
		: NULL;
}

/* Look in `folder` and its parents. The caller frees the path. */
static char *find_repository(const char *folder)
{
	br_autofree char *at = br_strdup(folder);

	for (;;) {
		char *repository = repository_at(at);
		char *slash = strrchr(at, '/');

		if (repository)
			return repository;
		if (!slash || at[1] == '\0')
			return NULL;
		/* The parent of "/name" is "/". */
		slash[slash == at ? 1 : 0] = '\0';
	}
}

/* Find what `name` stands for, in its own file or among the packed ones. */
static bool read_reference(const struct br_repository *repository,
	const char *name, struct br_buf *line)
{
	return read_line(repository->folder, name, line) ||
		read_line(repository->common, name, line) ||
		br_tags_find_packed(repository, name, line);
}

/* Follow HEAD to a commit. */
static void read_head(const struct br_repository *repository,
	struct br_arena *arena, struct br_git *git)
{
	static const char mark[] = "ref: ";
	static const char heads[] = "refs/heads/";
	br_autobuf struct br_buf line = { 0 };

	if (!read_line(repository->folder, "HEAD", &line))
		return;
	for (int i = 0; i < SYMBOLIC_MAX && br_has_prefix(line.data, mark);
		i++) {
		br_autofree char *name = br_strdup(line.data + strlen(mark));

		if (br_has_prefix(name, heads))
			git->branch =
				br_arena_strdup(arena, name + strlen(heads));
		if (!read_reference(repository, name, &line))
			return;
	}
	if (br_tags_is_object(line.data))
		git->commit = br_arena_strdup(arena, line.data);
}

/* Ask git for one line. Gives NULL where it has none to give. */
static const char *ask_git(const struct br_repository *repository,
	struct br_arena *arena, const char *command, const char *option)
{
	br_autobuf struct br_buf answer = { 0 };

	if (!br_tags_ask_git(repository, command, option, "HEAD", &answer))
		return NULL;
	trim(&answer);
	return answer.len > 0 ? br_arena_strdup(arena, answer.data) : NULL;
}

/* References in tables (git's `reftable`) are not for reading by hand. */
static void ask_head(const struct br_repository *repository,
	struct br_arena *arena, struct br_git *git)
{
	git->branch = ask_git(repository, arena, "symbolic-ref", "--short");
	git->commit = ask_git(repository, arena, "rev-parse", "--verify");
}

void br_git_find(const char *folder, struct br_arena *arena, struct br_git *git)
{
	br_autofree char *found = find_repository(folder);
	br_autofree char *common = NULL;
	br_autofree char *tables = NULL;
	br_autobuf struct br_buf packed = { 0 };
	br_autobuf struct br_buf line = { 0 };

	*git = (struct br_git){ 0 };
	if (!found)
		return;
	common = read_line(found, "commondir", &line)
		? br_path_join(found, line.data)
		: br_strdup(found);
	tables = br_path_join(common, "reftable");

	struct br_repository repository = {
		.folder = found,
		.common = common,
		.has_tables = is_folder(tables),
	};
	br_tags_load_packed(&repository, &packed);
	if (repository.has_tables)
		ask_head(&repository, arena, git);
	else
		read_head(&repository, arena, git);
	if (git->commit)
		git->tag = br_tags_find(&repository, git->commit, arena);
}
