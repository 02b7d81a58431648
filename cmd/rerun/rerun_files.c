/* SPDX-License-Identifier: MIT */
#include "cmd/rerun/rerun_files.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/glob.h"
#include "base/str.h"
#include "log/folder.h"
#include "manifest/manifest.h"
#include "plan/ask.h"
#include "plan/git.h"

enum {
	/* A question about 10,000 paths takes 0.2 s. */
	GIT_TIMEOUT_MS = 60 * 1000,
	GIT_MAX_BYTES = 64 * 1024 * 1024,
	/* `git check-ignore`: some are; none is. */
	GIT_SOME = 0,
	GIT_NONE = 1,
};

/* The last part of a path, which may end in a slash. */
static const char *name_of(const char *path)
{
	size_t len = strlen(path);

	if (len > 0)
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	return path + len;
}

/* The folder's real path and the name, so that there is one path for each file. */
static char *canonical(const char *path)
{
	const char *name = name_of(path);
	br_autofree char *folder = br_memdup(path, (size_t)(name - path));
	br_autofree char *real =
		realpath(folder[0] != '\0' ? folder : ".", NULL);

	return real ? br_path_join(real, name) : NULL;
}

static void add_named(struct rerun_files *files, const char *path)
{
	br_autofree char *whole = br_path_join(files->top, path);
	br_autofree char *real = canonical(whole);
	br_autofree char *target = realpath(whole, NULL);

	if (real)
		br_paths_add(&files->named, real);
	/* What a link leads to may be elsewhere. */
	if (real && target && strcmp(real, target) != 0)
		br_paths_add(&files->named, target);
}

static bool find_manifest(
	const struct options *options, char **path, struct br_err *err)
{
	const char *folder = options->path ? options->path : ".";

	if (!options->file)
		return br_manifest_find(folder, path, err);
	*path = br_path_join(folder, options->file);
	return true;
}

bool rerun_files_find(const struct options *options, struct rerun_files *files,
	struct br_err *err)
{
	br_autofree char *found = NULL;
	br_autofree char *manifest = NULL;
	struct br_err ignored = { 0 };

	if (!find_manifest(options, &found, err))
		return false;
	manifest = canonical(found);
	if (!manifest)
		return br_fail_errno(err, "open the directory of '%s'", found);
	files->top =
		br_memdup(manifest, (size_t)(name_of(manifest) - manifest));
	if (strlen(files->top) > 1)
		files->top[strlen(files->top) - 1] = '\0';
	add_named(files, manifest);
	if (!br_log_folder_find(files->top, &files->logs, &ignored))
		files->logs = NULL;
	if (options->junit)
		files->report = canonical(options->junit);
	return true;
}

static void forget_outputs(struct rerun_files *files)
{
	for (size_t i = 0; i < files->output_count; i++)
		br_paths_done(&files->outputs[i]);
	free(br_take_ptr(&files->outputs));
	files->output_count = 0;
}

static void load_outputs(
	struct rerun_files *files, const struct br_manifest *manifest)
{
	forget_outputs(files);
	files->outputs =
		br_alloc_array(manifest->stage_count, sizeof(*files->outputs));
	for (size_t i = 0; i < manifest->stage_count; i++) {
		const struct br_texts *outputs = &manifest->stages[i].outputs;

		if (outputs->count == 0)
			continue;
		for (size_t k = 0; k < outputs->count; k++)
			br_paths_add(&files->outputs[files->output_count],
				outputs->items[k].text);
		files->output_count++;
	}
}

bool rerun_files_load(const struct options *options, struct rerun_files *files,
	struct br_err *err)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	bool is_read = br_manifest_open(
		options->path, options->file, &manifest, &diags, err);

	if (manifest) {
		br_autofree char *first = br_strdup(files->named.items[0]);

		br_paths_done(&files->named);
		add_named(files, first);
		for (size_t i = 0; i < manifest->env_files.count; i++)
			add_named(files, manifest->env_files.items[i].text);
		load_outputs(files, manifest);
	}
	br_diags_done(&diags);
	return is_read;
}

bool rerun_files_is_named(const struct rerun_files *files, const char *path)
{
	br_autofree char *whole = br_path_join(files->top, path);

	for (size_t i = 0; i < files->named.count; i++)
		if (!strcmp(files->named.items[i], whole))
			return true;
	return false;
}

/* What is nobody's work: of version control, and what editors make in passing. */
static bool is_noise(const char *path)
{
	static const char *const names[] = { ".git", ".hg", ".svn", ".jj",
		".DS_Store", ".*.sw?", ".*.sw?x", "*~", ".#*", "#*#", "4913",
		".*.kate-swp", "*___jb_tmp___", "*___jb_old___",
		".goutputstream-*" };
	br_autofree char *name = br_strdup(name_of(path));

	name[strcspn(name, "/")] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fnmatch(names[i], name, 0) == 0)
			return true;
	return false;
}

static bool is_own(const struct rerun_files *files, const char *path)
{
	br_autofree char *whole = br_path_join(files->top, path);
	size_t len = files->logs ? strlen(files->logs) : 0;

	if (files->report && !strcmp(whole, files->report))
		return true;
	return len > 0 && !strncmp(whole, files->logs, len) &&
		(whole[len] == '/' || whole[len] == '\0');
}

/* Of the globs of a stage that match, the last one decides. */
static bool is_output_of(const struct br_paths *globs, const char *path)
{
	bool is_chosen = false;

	for (size_t i = 0; i < globs->count; i++) {
		const char *glob = globs->items[i];
		bool is_taken_away = glob[0] == '!';

		if (br_glob_matches(glob + is_taken_away, path))
			is_chosen = !is_taken_away;
	}
	return is_chosen;
}

/* The glob of the folders of which `glob` chooses all: it ends with a slash, or two stars. */
static char *folder_glob(const char *glob)
{
	size_t len = strlen(glob);

	if (len > 3 && !strcmp(glob + len - 3, "/**"))
		return br_format("%s%.*s", glob[0] == '/' ? "" : "/",
			(int)(len - 3), glob);
	return br_memdup(glob, len - (glob[len - 1] == '/'));
}

/* Whether all that is in a folder, now and later, is an output. */
static bool is_output_folder(const struct br_paths *globs, const char *folder)
{
	bool is_chosen = false;

	for (size_t i = 0; i < globs->count; i++) {
		br_autofree char *glob = folder_glob(globs->items[i]);

		/* It may be in there. */
		if (glob[0] == '!')
			return false;
		is_chosen |= br_glob_matches(glob, folder);
	}
	return is_chosen;
}

static bool is_output(const struct rerun_files *files, const char *path)
{
	size_t len = strlen(path);
	bool is_folder = len > 0 && path[len - 1] == '/';
	br_autofree char *plain = br_memdup(path, len - is_folder);

	for (size_t i = 0; i < files->output_count; i++)
		if (is_folder ? is_output_folder(&files->outputs[i], plain)
			      : is_output_of(&files->outputs[i], plain))
			return true;
	return false;
}

/* The folder of the repository inside the project that a path is in, or "". */
static char *repository_of(const struct rerun_files *files, const char *path)
{
	br_autofree char *folder =
		br_memdup(path, (size_t)(name_of(path) - path));

	while (folder[0] != '\0') {
		br_autofree char *mark =
			br_format("%s/%s.git", files->top, folder);

		if (access(mark, F_OK) == 0)
			break;
		folder[name_of(folder) - folder] = '\0';
	}
	return br_take_ptr(&folder);
}

/* A question to git, about the paths that are in one repository. */
struct question {
	const char *const *paths;
	size_t count;
	/* Of each path; NULL: it is not asked about any more. */
	char **repositories;
	bool *is_ignored;
};

static void add_paths(const struct question *question, const char *repository,
	struct br_buf *input)
{
	size_t len = strlen(repository);

	for (size_t i = 0; i < question->count; i++) {
		const char *of = question->repositories[i];

		/* With "./" none looks like one of git's patterns. */
		if (of && !strcmp(of, repository)) {
			br_buf_addf(input, "./%s", question->paths[i] + len);
			br_buf_add_char(input, '\0');
		}
	}
}

/* Those that are ignored come back, in the order in which they were asked. */
static void take_answer(const struct question *question, const char *repository,
	const struct br_buf *answer)
{
	size_t len = strlen(repository);
	size_t at = 0;

	for (size_t i = 0; i < question->count; i++) {
		const char *of = question->repositories[i];

		if (!of || strcmp(of, repository) != 0)
			continue;
		if (at + 2 < answer->len &&
			!strcmp(answer->data + at + 2,
				question->paths[i] + len)) {
			question->is_ignored[i] = true;
			at += strlen(answer->data + at) + 1;
		}
		free(br_take_ptr(&question->repositories[i]));
	}
}

/* Give the status of `git check-ignore`; 127: there is no git. */
static int ask_about(
	const char *folder, const struct br_buf *input, struct br_buf *answer)
{
	const char *const argv[] = { "git", "-C", folder, "--no-optional-locks",
		"check-ignore", "--stdin", "-z", NULL };
	int status = -1;

	return br_ask_git_about(argv, br_buf_str(input), GIT_TIMEOUT_MS,
		       GIT_MAX_BYTES, answer, &status)
		? status
		: -1;
}

static void ask_git(const struct rerun_files *files,
	const struct question *question, const char *repository)
{
	br_autofree char *folder = br_path_join(files->top, repository);
	br_autobuf struct br_buf input = { 0 };
	br_autobuf struct br_buf answer = { 0 };

	add_paths(question, repository, &input);
	if (ask_about(folder, &input, &answer) != GIT_SOME)
		br_buf_clear(&answer);
	take_answer(question, repository, &answer);
}

void rerun_files_ignore(const struct rerun_files *files,
	const char *const *paths, size_t count, bool *is_ignored)
{
	br_autofree char **repositories =
		br_alloc_array(count, sizeof(*repositories));
	const struct question question = { paths, count, repositories,
		is_ignored };

	for (size_t i = 0; i < count; i++) {
		bool is_named = rerun_files_is_named(files, paths[i]);

		is_ignored[i] = !is_named &&
			(is_noise(paths[i]) || is_own(files, paths[i]) ||
				is_output(files, paths[i]));
		if (!is_named && !is_ignored[i])
			repositories[i] = repository_of(files, paths[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (!repositories[i])
			continue;
		br_autofree char *repository = br_strdup(repositories[i]);

		ask_git(files, &question, repository);
	}
}

bool rerun_files_is_git_silent(const struct rerun_files *files)
{
	br_autobuf struct br_buf input = { 0 };
	br_autobuf struct br_buf answer = { 0 };
	struct br_arena arena = { 0 };
	struct br_git git;

	br_git_find(files->top, &arena, &git);
	bool is_tree = git.branch || git.commit;
	br_arena_done(&arena);
	br_buf_add(&input, "./x", sizeof("./x"));
	int status =
		is_tree ? ask_about(files->top, &input, &answer) : GIT_NONE;
	return status != GIT_NONE && status != GIT_SOME;
}

void rerun_files_done(struct rerun_files *files)
{
	br_paths_done(&files->named);
	free(files->top);
	free(files->logs);
	free(files->report);
	forget_outputs(files);
	*files = (struct rerun_files){ 0 };
}
