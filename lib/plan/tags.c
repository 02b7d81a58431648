/* SPDX-License-Identifier: MIT */
#include "plan/tags.h"

#include <dirent.h>
#include <string.h>

#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "plan/ask.h"

enum {
	OBJECT_LEN = 40,
	OBJECT_LONG_LEN = 64,
	/* Tags may have slashes in their names; nobody nests them deeper. */
	FOLDER_DEPTH_MAX = 8,
	/* With more files than these git is faster. */
	LOOSE_MAX = 200,
	ASK_TIMEOUT_MS = 5000,
	ASK_MAX_BYTES = 1024 * 1024,
};

static const char tags_prefix[] = "refs/tags/";

bool br_tags_is_object(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return text[len] == '\0' &&
		(len == OBJECT_LEN || len == OBJECT_LONG_LEN);
}

void br_tags_load_packed(struct br_repository *repository, struct br_buf *text)
{
	br_autofree char *path =
		br_path_join(repository->common, "packed-refs");
	struct br_err err = { 0 };

	if (br_file_load(path, BR_LIMIT_GIT_REFS_BYTES, text, &err))
		repository->packed = br_buf_str(text);
}

/* A line of `packed-refs` with the `^` line behind it. */
struct packed {
	struct br_str object;
	struct br_str name;
	/* What an annotated tag stands for; empty for all else. */
	struct br_str peeled;
};

static bool next_packed(struct br_str *text, struct packed *packed)
{
	struct br_str line;

	while (br_str_next_line(text, &line)) {
		const char *blank = memchr(line.data, ' ', line.len);

		if (line.len == 0 || line.data[0] == '#' ||
			line.data[0] == '^' || !blank)
			continue;

		size_t object_len = (size_t)(blank - line.data);
		*packed = (struct packed){
			.object = { line.data, object_len },
			.name = { blank + 1, line.len - object_len - 1 },
		};
		struct br_str rest = *text;
		if (br_str_next_line(&rest, &line) && line.len > 0 &&
			line.data[0] == '^')
			packed->peeled =
				(struct br_str){ line.data + 1, line.len - 1 };
		return true;
	}
	return false;
}

bool br_tags_find_packed(const struct br_repository *repository,
	const char *name, struct br_buf *object)
{
	struct br_str text = repository->packed;
	struct packed packed;

	while (next_packed(&text, &packed)) {
		if (!br_str_is(packed.name, name))
			continue;
		br_buf_clear(object);
		br_buf_add(object, packed.object.data, packed.object.len);
		return true;
	}
	return false;
}

bool br_tags_ask_git(const struct br_repository *repository,
	const char *command, const char *option, const char *argument,
	struct br_buf *answer)
{
	const char *const argv[] = { "git", "--git-dir", repository->folder,
		command, option, argument, NULL };

	return br_ask_git(argv, ASK_TIMEOUT_MS, ASK_MAX_BYTES, answer);
}

/* What is found while tags are looked at. */
struct search {
	const struct br_repository *repository;
	const char *commit;
	struct br_arena *arena;
	/* The highest version so far. */
	const char *best;
	size_t loose_count;
	/* There are tags of which the files do not tell. */
	bool is_unsure;
};

/* Say whether version `a` is higher: 1.10 than 1.9, and 1.0 than 1.0-rc1. */
static bool is_higher(const char *a, const char *b)
{
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (br_has_prefix(b, a) && b[a_len] == '-')
		return true;
	if (br_has_prefix(a, b) && a[b_len] == '-')
		return false;
	return strverscmp(a, b) > 0;
}

static void consider(struct search *search, struct br_str name)
{
	const char *tag = br_arena_memdup(search->arena, name.data, name.len);

	if (!search->best || is_higher(tag, search->best))
		search->best = tag;
}

/* Compare a tag in a file of its own. `name` is below refs/tags/. */
static void look_at_file(
	struct search *search, const char *path, const char *name)
{
	br_autobuf struct br_buf object = { 0 };
	struct br_err err = { 0 };

	if (++search->loose_count > LOOSE_MAX ||
		!br_file_load(path, BR_LIMIT_GIT_FILE_BYTES, &object, &err)) {
		search->is_unsure = true;
		return;
	}

	size_t len = strcspn(br_buf_text(&object), "\n");
	if (br_str_is((struct br_str){ br_buf_text(&object), len },
		    search->commit))
		consider(search, br_str(name));
	else
		search->is_unsure = true;
}

static void look_at_folder(struct search *search, const char *folder,
	const char *prefix, int depth);

static void look_at_entry(struct search *search, const char *folder,
	const char *prefix, const struct dirent *entry, int depth)
{
	br_autofree char *path = br_path_join(folder, entry->d_name);
	br_autofree char *name = br_path_join(prefix, entry->d_name);

	if (entry->d_name[0] == '.')
		return;
	if (entry->d_type == DT_DIR)
		look_at_folder(search, path, name, depth + 1);
	else
		look_at_file(search, path, name);
}

/* Calls itself through look_at_entry(), up to the limit. */
static void look_at_folder(struct search *search, const char *folder,
	const char *prefix, int depth)
{
	if (depth > FOLDER_DEPTH_MAX) {
		search->is_unsure = true;
		return;
	}

	DIR *opened = opendir(folder);
	if (!opened)
		return;
	while (search->loose_count <= LOOSE_MAX) {
		/* One thread: readdir_r() is deprecated for good reasons. */
		/* cppcheck-suppress readdirCalled */
		const struct dirent *entry = readdir(opened);

		if (!entry)
			break;
		look_at_entry(search, folder, prefix, entry, depth);
	}
	(void)closedir(opened);
}

/* A tag with a file of its own is not what `packed-refs` says of it. */
static bool is_loose(const struct br_repository *repository, struct br_str name)
{
	br_autobuf struct br_buf path = { 0 };

	br_buf_addf(
		&path, "%s/%.*s", repository->common, (int)name.len, name.data);
	return access(path.data, F_OK) == 0;
}

static void look_at_packed(struct search *search)
{
	struct br_str text = search->repository->packed;
	size_t prefix_len = strlen(tags_prefix);
	struct packed packed;

	while (next_packed(&text, &packed)) {
		struct br_str target =
			packed.peeled.len > 0 ? packed.peeled : packed.object;

		if (packed.name.len <= prefix_len ||
			memcmp(packed.name.data, tags_prefix, prefix_len) !=
				0 ||
			!br_str_is(target, search->commit) ||
			is_loose(search->repository, packed.name))
			continue;
		consider(search,
			(struct br_str){ packed.name.data + prefix_len,
				packed.name.len - prefix_len });
	}
}

static void ask_for_tags(struct search *search)
{
	br_autobuf struct br_buf answer = { 0 };
	struct br_str line;

	if (!br_tags_ask_git(search->repository, "tag", "--points-at",
		    search->commit, &answer))
		return;

	struct br_str text = br_buf_str(&answer);
	while (br_str_next_line(&text, &line))
		if (line.len > 0)
			consider(search, line);
}

const char *br_tags_find(const struct br_repository *repository,
	const char *commit, struct br_arena *arena)
{
	br_autofree char *folder =
		br_path_join(repository->common, tags_prefix);
	struct search search = {
		.repository = repository,
		.commit = commit,
		.arena = arena,
		.is_unsure = repository->has_tables,
	};

	if (!repository->has_tables) {
		look_at_packed(&search);
		look_at_folder(&search, folder, "", 0);
	}
	if (search.is_unsure)
		ask_for_tags(&search);
	return search.best;
}
