/* SPDX-License-Identifier: MIT */
#include "cache/stored.h"

#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/limits.h"
#include "cache/action_result.pb-c.h"
#include "cache/beneath.h"

typedef Buildr__Cache__ActionResult ActionResult;
typedef Buildr__Cache__Digest Digest;
typedef Buildr__Cache__NodeProperties NodeProperties;

enum {
	/* What a result may set. */
	MODE_BITS = 0777,
	/* Of servers that keep no modes. */
	DEFAULT_MODE = 0644,
	DEFAULT_EXECUTABLE_MODE = 0755,
	DEFAULT_FOLDER_MODE = 0755,
};

void br_stored_forget_sums(struct br_stored *result)
{
	for (size_t i = 0; i < result->outputs.count; i++)
		result->outputs.items[i].sum = 0;
}

void br_stored_done(struct br_stored *result)
{
	br_listing_done(&result->outputs);
	*result = (struct br_stored){ 0 };
}

/* Without names: they are anybody's, and may have anything in them. */
static bool fail(const char *what, struct br_err *err)
{
	return br_fail(err, BR_EPROTO, "a stored result has %s", what);
}

static bool take_digest(
	const Digest *digest, uint8_t hash[BR_HASH_BYTES], int64_t *size_bytes)
{
	if (!digest || digest->size_bytes < 0 ||
		!br_hash_parse(digest->hash, strlen(digest->hash), hash))
		return false;
	*size_bytes = digest->size_bytes;
	return true;
}

static uint32_t read_mode(const NodeProperties *properties, uint32_t fallback)
{
	if (!properties || !properties->unix_mode)
		return fallback;
	return properties->unix_mode->value & MODE_BITS;
}

/* Add an output, if it may be written where it wants to be. */
static struct br_listed *add(struct br_stored *result, const char *path,
	enum br_listed_kind kind, struct br_err *err)
{
	if (!br_beneath_is_safe(path) || strlen(path) >= BR_LIMIT_PATH_BYTES) {
		(void)fail("an unsafe path", err);
		return NULL;
	}
	return br_listing_add(&result->outputs, path, kind);
}

static bool add_file(struct br_stored *result,
	const Buildr__Cache__OutputFile *file, struct br_err *err)
{
	struct br_listed *listed = add(result, file->path, BR_LISTED_FILE, err);

	if (!listed)
		return false;
	listed->mode = read_mode(file->node_properties,
		file->is_executable ? DEFAULT_EXECUTABLE_MODE : DEFAULT_MODE);
	listed->sum = file->sum;
	return take_digest(file->digest, listed->digest,
		       &listed->facts.size_bytes) ||
		fail("a file without a digest", err);
}

static bool add_link(struct br_stored *result,
	const Buildr__Cache__OutputSymlink *link, struct br_err *err)
{
	size_t len = strlen(link->target);
	struct br_listed *listed = add(result, link->path, BR_LISTED_LINK, err);

	if (!listed)
		return false;
	listed->target = br_arena_strdup(&result->outputs.arena, link->target);
	return (len > 0 && len < BR_LIMIT_PATH_BYTES) ||
		fail("a link without a target", err);
}

static bool add_folder(struct br_stored *result,
	const Buildr__Cache__OutputDirectory *folder, struct br_err *err)
{
	struct br_listed *listed =
		add(result, folder->path, BR_LISTED_FOLDER, err);

	return listed &&
		(take_digest(folder->tree_digest, listed->digest,
			 &listed->facts.size_bytes) ||
			fail("a folder without a digest", err));
}

static bool add_outputs(const ActionResult *action, struct br_stored *result,
	struct br_err *err)
{
	for (size_t i = 0; i < action->n_output_files; i++)
		if (!add_file(result, action->output_files[i], err))
			return false;
	for (size_t i = 0; i < action->n_output_symlinks; i++)
		if (!add_link(result, action->output_symlinks[i], err))
			return false;
	for (size_t i = 0; i < action->n_output_directories; i++)
		if (!add_folder(result, action->output_directories[i], err))
			return false;
	return true;
}

static int compare_path(const void *path, const void *listed)
{
	return strcmp(path, ((const struct br_listed *)listed)->path);
}

static bool is_listed(const struct br_listing *listing, const char *path)
{
	return bsearch(path, listing->items, listing->count,
		       sizeof(*listing->items), compare_path) != NULL;
}

/* Say whether some output lies in one that is a file, a link or an empty folder. */
static bool has_child(
	const struct br_listing *listing, const struct br_listed *listed)
{
	char parent[BR_LIMIT_PATH_BYTES];

	for (const char *slash = strchr(listed->path, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - listed->path);

		memcpy(parent, listed->path, len);
		parent[len] = '\0';
		if (is_listed(listing, parent))
			return true;
	}
	return false;
}

static bool check_paths(const struct br_listing *listing, struct br_err *err)
{
	for (size_t i = 0; i < listing->count; i++) {
		const struct br_listed *listed = &listing->items[i];

		if (i > 0 && strcmp(listed[-1].path, listed->path) == 0)
			return fail("a path twice", err);
		if (has_child(listing, listed))
			return fail("a path below one that is no folder", err);
	}
	return true;
}

static bool take(const ActionResult *action, struct br_stored *result,
	struct br_err *err)
{
	if (action->n_output_files > BR_LIMIT_LISTED_FILES ||
		action->n_output_symlinks > BR_LIMIT_LISTED_FILES ||
		action->n_output_directories > BR_LIMIT_LISTED_FILES)
		return fail("more than a million outputs", err);
	if (action->exit_code != 0)
		return fail("a status that is not 0", err);
	result->has_log = action->stdout_digest != NULL;
	if (result->has_log &&
		!take_digest(action->stdout_digest, result->log_digest,
			&result->log_bytes))
		return fail("a log without a digest", err);
	if (!add_outputs(action, result, err))
		return false;
	br_listing_sort(&result->outputs);
	return check_paths(&result->outputs, err);
}

bool br_stored_decode(const void *bytes, size_t len, struct br_stored *result,
	struct br_err *err)
{
	br_autostored struct br_stored read = { 0 };
	ActionResult *action = len <= BR_LIMIT_RESULT_BYTES
		? buildr__cache__action_result__unpack(NULL, len, bytes)
		: NULL;

	if (!action)
		return br_fail(
			err, BR_EPROTO, "a stored result cannot be read");

	bool is_good = take(action, &read, err);
	buildr__cache__action_result__free_unpacked(action, NULL);
	if (!is_good)
		return false;
	*result = read;
	read = (struct br_stored){ 0 };
	return true;
}

bool br_stored_decode_tree(
	const void *bytes, size_t len, uint32_t *mode, struct br_err *err)
{
	Buildr__Cache__Tree *tree =
		buildr__cache__tree__unpack(NULL, len, bytes);
	bool is_empty = tree && tree->base.n_unknown_fields == 0 &&
		(!tree->root || tree->root->base.n_unknown_fields == 0);

	if (is_empty)
		*mode = read_mode(
			tree->root ? tree->root->node_properties : NULL,
			DEFAULT_FOLDER_MODE);
	if (tree)
		buildr__cache__tree__free_unpacked(tree, NULL);
	return is_empty ||
		br_fail(err, BR_EPROTO,
			"a stored folder cannot be read, or is not empty");
}
