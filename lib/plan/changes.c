/* SPDX-License-Identifier: MIT */
#include "plan/changes.h"

#include <string.h>

#include "base/buf.h"
#include "base/clean.h"
#include "plan/ask.h"

enum {
	/* A look at 100,000 files takes a second. */
	GIT_TIMEOUT_MS = 60 * 1000,
	/* Names of 100,000 files. */
	GIT_MAX_BYTES = 64 * 1024 * 1024,
	GIT_ARGS_MAX = 12,
};

/*
 * Run git in the project; false where it does not succeed. Every command says all
 * that a user could have configured otherwise.
 */
static bool ask(const struct br_changes *changes, const char *const *args,
	struct br_buf *answer)
{
	const char *argv[GIT_ARGS_MAX + 6] = { "git", "-C",
		changes->project_dir, "--no-optional-locks", "-c",
		"diff.autoRefreshIndex=true" };
	size_t count = 6;

	for (size_t i = 0; args[i] && i + 1 < GIT_ARGS_MAX; i++)
		argv[count++] = args[i];
	br_buf_clear(answer);
	return br_ask_git(argv, GIT_TIMEOUT_MS, GIT_MAX_BYTES, answer);
}

/* One line of an answer, without its end; NULL: git has none. */
static const char *ask_line(
	const struct br_changes *changes, const char *const *args)
{
	br_autobuf struct br_buf answer = { 0 };

	if (!ask(changes, args, &answer) || answer.len == 0)
		return NULL;
	return br_arena_memdup(changes->arena, answer.data,
		strcspn(br_buf_text(&answer), "\n"));
}

static const char *find_commit(
	const struct br_changes *changes, const char *name)
{
	const char *spec = br_arena_format(changes->arena, "%s^{commit}", name);
	const char *const args[] = { "rev-parse", "--verify", "--quiet",
		"--end-of-options", spec, NULL };

	return ask_line(changes, args);
}

static const char *find_fork(
	const struct br_changes *changes, const char *upstream)
{
	const char *const args[] = { "merge-base", "HEAD", upstream, NULL };

	return find_commit(changes, upstream) ? ask_line(changes, args) : NULL;
}

static bool is_clean(const struct br_changes *changes)
{
	static const char *const args[] = { "status", "--porcelain",
		"--untracked-files=normal", "--", ".", NULL };
	br_autobuf struct br_buf answer = { 0 };

	return ask(changes, args, &answer) && answer.len == 0;
}

/* Find the commit to compare to, and what to call it; NULL: there is none. */
static const char *find_base(struct br_changes *changes)
{
	static const char *const upstreams[] = { "@{upstream}", "origin/HEAD" };
	const char *head = find_commit(changes, "HEAD");
	const char *fork = NULL;

	if (changes->wanted_base) {
		changes->base = changes->wanted_base;
		return find_commit(changes, changes->wanted_base);
	}
	for (size_t i = 0; head && !fork && i < 2; i++) {
		fork = find_fork(changes, upstreams[i]);
		changes->base = upstreams[i];
	}
	if (fork && (strcmp(fork, head) != 0 || !is_clean(changes)))
		return fork;
	changes->base = "the commit before";
	return find_commit(changes, "HEAD~1");
}

/* Take over names that each end in a NUL. */
static void add_names(struct br_changes *changes, const struct br_buf *names,
	const char **paths)
{
	for (size_t at = 0; at < names->len;) {
		const char *name = names->data + at;
		size_t len = strnlen(name, names->len - at);

		paths[changes->count++] =
			br_arena_memdup(changes->arena, name, len);
		at += len + 1;
	}
}

static size_t count_names(const struct br_buf *names)
{
	size_t count = 0;

	for (size_t i = 0; i < names->len; i++)
		count += names->data[i] == '\0';
	return count;
}

static bool list(struct br_changes *changes, const char *commit)
{
	const char *const diff[] = { "diff", "--name-only", "--no-renames",
		"--no-ext-diff", "--relative", "-O/dev/null", "-z", commit,
		"--", ".", NULL };
	static const char *const untracked[] = { "ls-files", "--others",
		"--exclude-standard", "-z", "--", ".", NULL };
	br_autobuf struct br_buf changed = { 0 };
	br_autobuf struct br_buf added = { 0 };

	if (!ask(changes, diff, &changed) || !ask(changes, untracked, &added))
		return false;

	const char **paths = br_arena_array(changes->arena,
		count_names(&changed) + count_names(&added), sizeof(*paths));
	add_names(changes, &changed, paths);
	add_names(changes, &added, paths);
	changes->paths = paths;
	return true;
}

void br_changes_set(struct br_changes *changes, const char *const *paths,
	size_t count, const char *base)
{
	changes->paths = paths;
	changes->count = count;
	changes->base = base;
	changes->is_looked_for = true;
	changes->is_known = true;
}

bool br_changes_find(struct br_changes *changes)
{
	if (changes->is_looked_for)
		return changes->is_known;
	changes->is_looked_for = true;

	const char *commit = find_base(changes);
	changes->is_known = commit && list(changes, commit);
	if (!changes->is_known && changes->wanted_base)
		br_notes_add(changes->notes,
			"what changed since '%s' cannot be told: git knows no "
			"such commit here; stages with 'changes' run",
			changes->wanted_base);
	else if (!changes->is_known)
		br_notes_add(changes->notes,
			"what changed cannot be told: the project has no "
			"earlier commit in git; stages with 'changes' run");
	return changes->is_known;
}
