/* SPDX-License-Identifier: MIT */
#include "manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "manifest/node.h"
#include "manifest/read.h"
#include "manifest/top.h"

void br_manifest_free(struct br_manifest *manifest)
{
	if (!manifest)
		return;
	br_arena_done(&manifest->arena);
	free(manifest);
}

/* Read the text into `built`, and give it away where nothing is wrong. */
static void read_text(struct br_str text, struct br_manifest **built,
	struct br_manifest **manifest, struct br_diags *diags)
{
	struct br_reader reader = { .manifest = *built, .diags = diags };
	struct br_arena nodes = { 0 };

	br_diags_init(diags, (*built)->file, text);
	const struct br_node *root =
		br_node_parse(br_lines_skip_bom(text), &nodes, diags);
	if (root)
		br_top_read(&reader, root);
	br_arena_done(&nodes);
	br_diags_sort(diags);
	*manifest = NULL;
	if (diags->error_count == 0)
		*manifest = br_take_ptr(built);
}

/* Ownership: the caller frees it with br_manifest_free(). */
static struct br_manifest *new_manifest(
	const char *shown_as, const char *project_dir)
{
	struct br_manifest *manifest = br_alloc(sizeof(*manifest));

	manifest->file = br_arena_strdup(&manifest->arena, shown_as);
	manifest->project_dir = br_arena_strdup(&manifest->arena, project_dir);
	return manifest;
}

void br_manifest_parse(struct br_str text, const char *shown_as,
	const char *project_dir, struct br_manifest **manifest,
	struct br_diags *diags)
{
	br_auto(br_manifest) struct br_manifest *built =
		new_manifest(shown_as, project_dir);

	read_text(text.data ? text : br_str(""), &built, manifest, diags);
}

/* The absolute folder of the file `path`, which the caller frees. */
static bool find_project(
	const char *path, char **project_dir, struct br_err *err)
{
	br_autofree char *folder = br_strdup(path);
	char *slash = strrchr(folder, '/');

	if (slash)
		slash[slash == folder] = '\0';
	*project_dir = realpath(slash ? folder : ".", NULL);
	if (!*project_dir)
		return br_fail_errno(err, "open the directory of '%s'", path);
	return true;
}

bool br_manifest_load(const char *path, const char *shown_as,
	struct br_manifest **manifest, struct br_diags *diags,
	struct br_err *err)
{
	br_autobuf struct br_buf content = { 0 };
	br_autofree char *project_dir = NULL;

	if (!br_file_load(path, BR_LIMIT_MANIFEST_BYTES, &content, err) ||
		!find_project(path, &project_dir, err))
		return false;

	br_auto(br_manifest) struct br_manifest *built =
		new_manifest(shown_as, project_dir);
	struct br_str text = {
		.data = br_arena_memdup(
			&built->arena, br_buf_text(&content), content.len),
		.len = content.len,
	};
	read_text(text, &built, manifest, diags);
	/* The text goes with the manifest. */
	if (!*manifest)
		diags->source = (struct br_lines){ 0 };
	return true;
}
