/* SPDX-License-Identifier: MIT */
#include "cache/stored.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "cache/action_result.pb-c.h"

typedef Buildr__Cache__ActionResult ActionResult;
typedef Buildr__Cache__Digest Digest;
typedef Buildr__Cache__NodeProperties NodeProperties;

/* The library's structs have no const; it only reads what it packs. */
static char *copy(struct br_arena *arena, const char *text)
{
	return br_arena_strdup(arena, text);
}

static Digest *make_digest(struct br_arena *arena,
	const uint8_t hash[BR_HASH_BYTES], int64_t size_bytes)
{
	Digest *digest = br_arena_alloc(arena, sizeof(*digest));

	buildr__cache__digest__init(digest);
	digest->hash = br_arena_alloc(arena, BR_HASH_TEXT_BYTES);
	br_hash_format(hash, digest->hash);
	digest->size_bytes = size_bytes;
	return digest;
}

static NodeProperties *make_properties(struct br_arena *arena, uint32_t mode)
{
	NodeProperties *properties = br_arena_alloc(arena, sizeof(*properties));

	buildr__cache__node_properties__init(properties);
	properties->unix_mode =
		br_arena_alloc(arena, sizeof(*properties->unix_mode));
	buildr__cache__uint32_value__init(properties->unix_mode);
	properties->unix_mode->value = mode;
	return properties;
}

static void add_file(struct br_arena *arena, const struct br_listed *listed,
	ActionResult *action)
{
	Buildr__Cache__OutputFile *file = br_arena_alloc(arena, sizeof(*file));

	buildr__cache__output_file__init(file);
	file->path = copy(arena, listed->path);
	file->digest =
		make_digest(arena, listed->digest, listed->facts.size_bytes);
	file->sum = listed->sum;
	file->is_executable = (listed->mode & 0100) != 0;
	file->node_properties = make_properties(arena, listed->mode);
	action->output_files[action->n_output_files++] = file;
}

static void add_link(struct br_arena *arena, const struct br_listed *listed,
	ActionResult *action)
{
	Buildr__Cache__OutputSymlink *link =
		br_arena_alloc(arena, sizeof(*link));

	buildr__cache__output_symlink__init(link);
	link->path = copy(arena, listed->path);
	link->target = copy(arena, listed->target);
	action->output_symlinks[action->n_output_symlinks++] = link;
}

static void add_folder(struct br_arena *arena, const struct br_listed *listed,
	ActionResult *action)
{
	Buildr__Cache__OutputDirectory *folder =
		br_arena_alloc(arena, sizeof(*folder));

	buildr__cache__output_directory__init(folder);
	folder->path = copy(arena, listed->path);
	folder->tree_digest =
		make_digest(arena, listed->digest, listed->facts.size_bytes);
	action->output_directories[action->n_output_directories++] = folder;
}

static bool check_text(const char *text, const char *path, struct br_err *err)
{
	return br_utf8_is_valid(text, strlen(text)) ||
		br_fail(err, BR_EINPUT,
			"the name of output '%s' is not UTF-8, so that it "
			"cannot be stored",
			path);
}

static bool add(struct br_arena *arena, const struct br_listed *listed,
	ActionResult *action, struct br_err *err)
{
	if (!check_text(listed->path, listed->path, err))
		return false;
	switch (listed->kind) {
	case BR_LISTED_FILE:
		add_file(arena, listed, action);
		return true;
	case BR_LISTED_LINK:
		if (!check_text(listed->target, listed->path, err))
			return false;
		add_link(arena, listed, action);
		return true;
	case BR_LISTED_FOLDER:
		add_folder(arena, listed, action);
		return true;
	}
	return true;
}

/* The library's lists are of pointers to messages. */
static void *make_list(struct br_arena *arena, size_t count)
{
	return br_arena_array(arena, count, sizeof(void *));
}

static bool fill(struct br_arena *arena, const struct br_stored *result,
	ActionResult *action, struct br_err *err)
{
	size_t count = result->outputs.count;

	action->output_files = make_list(arena, count);
	action->output_symlinks = make_list(arena, count);
	action->output_directories = make_list(arena, count);
	for (size_t i = 0; i < count; i++)
		if (!add(arena, &result->outputs.items[i], action, err))
			return false;
	if (result->has_log)
		action->stdout_digest = make_digest(
			arena, result->log_digest, result->log_bytes);
	return true;
}

bool br_stored_encode(const struct br_stored *result, struct br_buf *bytes,
	struct br_err *err)
{
	struct br_arena arena = { 0 };
	ActionResult action = BUILDR__CACHE__ACTION_RESULT__INIT;
	bool is_good = fill(&arena, result, &action, err);

	if (is_good) {
		size_t len =
			buildr__cache__action_result__get_packed_size(&action);

		(void)buildr__cache__action_result__pack(
			&action, (uint8_t *)br_buf_room(bytes, len));
		br_buf_grew(bytes, len);
	}
	br_arena_done(&arena);
	return is_good;
}

void br_stored_encode_tree(uint32_t mode, struct br_buf *bytes)
{
	struct br_arena arena = { 0 };
	Buildr__Cache__Tree tree = BUILDR__CACHE__TREE__INIT;
	Buildr__Cache__Directory root = BUILDR__CACHE__DIRECTORY__INIT;

	root.node_properties = make_properties(&arena, mode);
	tree.root = &root;

	size_t len = buildr__cache__tree__get_packed_size(&tree);
	(void)buildr__cache__tree__pack(
		&tree, (uint8_t *)br_buf_room(bytes, len));
	br_buf_grew(bytes, len);
	br_arena_done(&arena);
}
