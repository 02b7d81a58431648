/* SPDX-License-Identifier: MIT */
/*
 * top.c - the keys of the manifest itself.
 *
 * They are read in two rounds, since the order of the file means nothing: first
 * the known keys, with the list of stages and what all stages start from; then
 * every other key, which is a stage or a mistake.
 */
#include "manifest/top.h"

#include <string.h>

#include "base/parse.h"
#include "manifest/stage.h"
#include "manifest/stage_set.h"
#include "manifest/vars.h"

static void read_version(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	int64_t version = 0;

	(void)into;
	(void)br_read_int(reader, entry, "'version'", "1, the only version", 1,
		1, &version);
}

static void read_image(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	(void)into;
	reader->manifest->image =
		br_read_word(reader, entry, "'image'", "the name of an image");
}

static void read_defaults(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage_set *stages = into;

	(void)br_stage_read(
		reader, entry, BR_STAGE_KIND_DEFAULTS, &stages->defaults);
}

/* It starts from `defaults`, which may come later. */
static void keep_prepare(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage_set *stages = into;

	(void)reader;
	stages->prepare = entry;
}

static void read_docker(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_manifest *manifest = reader->manifest;

	(void)into;
	manifest->is_docker_given = br_read_bool(
		reader, entry, "true or false", &manifest->has_docker);
}

static void read_memory(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	(void)into;
	br_read_amount(reader, entry, br_parse_size, "a size like 512m or 2g",
		&reader->manifest->memory_bytes);
}

static void read_cpus(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	(void)into;
	br_read_amount(reader, entry, br_parse_nano, "a number like 2 or 1.5",
		&reader->manifest->cpus_nano);
}

static void read_pids(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	/* PID_MAX_LIMIT of Linux. */
	enum { PIDS_MAX = 4194304 };

	(void)into;
	(void)br_read_int(reader, entry, "'pids'", "a number from 1 to 4194304",
		1, PIDS_MAX, &reader->manifest->pids);
}

static void read_limits(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const struct br_key rows[] = {
		{ .name = "memory", .read = read_memory },
		{ .name = "cpus", .read = read_cpus },
		{ .name = "pids", .read = read_pids },
	};
	static const struct br_keys keys = {
		.rows = rows,
		.count = sizeof(rows) / sizeof(rows[0]),
		.owner = "'limits'",
	};

	(void)br_read_mapping(reader, entry, &keys, into);
}

/* As engines name networks. */
static bool is_network(const char *name)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_.-";

	return !strchr("_.-", name[0]) && strspn(name, chars) == strlen(name);
}

static void read_network(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const char wants[] =
		"bridge, none, host or the name of a network";
	const char *name = br_read_word(reader, entry, "'network'", wants);

	(void)into;
	if (name && is_network(name))
		reader->manifest->network = name;
	else if (name)
		br_read_wrong(reader, entry, "'network'", wants, NULL);
}

static const struct br_key top_rows[] = {
	{ .name = "version", .read = read_version },
	{ .name = "image", .read = read_image },
	{ .name = "environment", .read = br_vars_read_environment },
	{ .name = "stages", .read = br_stage_set_read_list },
	{ .name = "prepare", .read = keep_prepare },
	{ .name = "defaults", .read = read_defaults },
	{ .name = "docker", .read = read_docker },
	{ .name = "limits", .read = read_limits },
	{ .name = "network", .read = read_network },
};

enum { TOP_KEYS = sizeof(top_rows) / sizeof(top_rows[0]) };

static const struct br_keys top_keys = {
	.rows = top_rows,
	.count = TOP_KEYS,
	.owner = "the manifest",
};

static void report_unknown(struct br_reader *reader,
	const struct br_entry *entry, const struct br_stage_set *stages)
{
	const char *known[TOP_KEYS + 1] = { NULL };
	const char *name = entry->key->text;
	const char *near = NULL;
	br_autobuf struct br_buf help = { 0 };

	for (size_t i = 0; i < TOP_KEYS; i++)
		known[i] = top_rows[i].name;
	if (br_read_may_suggest(reader))
		near = br_names_suggest(&stages->listed, known, name);
	/* A list that is not all known may have named it. */
	if (!near && stages->is_list_broken &&
		entry->value->kind == BR_NODE_MAPPING)
		return;
	if (near)
		br_buf_addf(&help, "did you mean '%s'?", near);
	else if (br_stage_has_key(name))
		br_buf_addf(&help, "'%s' is a key of a stage", name);
	else
		br_buf_add_text(&help,
			"a stage has 'script', or is listed in 'stages'; "
			"anchors may stand under 'x-...'");
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->key->place,
		br_buf_text(&help), "unknown key '%s'", name);
}

/* A key that is none of the table's: a stage, a place for anchors, or wrong. */
static void read_other(struct br_reader *reader, const struct br_entry *entry,
	struct br_stage_set *stages)
{
	if (br_has_prefix(entry->key->text, "x-"))
		return;
	if (!br_stage_set_read_stage(reader, entry, stages))
		report_unknown(reader, entry, stages);
}

static void warn_of_nothing(
	struct br_reader *reader, const struct br_node *root)
{
	const struct br_manifest *manifest = reader->manifest;

	if (reader->diags->error_count > 0 || manifest->order_count > 0 ||
		manifest->prepare)
		return;
	br_diags_add(reader->diags, BR_SEVERITY_WARNING, root->place,
		manifest->stage_count > 0
			? "'stages' lists those that run when none is named"
			: "'stages' lists the names of the stages to run",
		"no stage is listed, and there is no 'prepare': nothing runs");
}

void br_top_read(struct br_reader *reader, const struct br_node *root)
{
	struct br_stage_set stages = { 0 };

	reader->manifest->has_docker = true;
	if (root->kind != BR_NODE_MAPPING) {
		struct br_entry all = { .value = root, .place = root->place };

		br_read_wrong(reader, &all, "a manifest", "a mapping",
			"it has keys like 'image:' and 'stages:'");
		return;
	}
	for (size_t i = 0; i < root->entry_count; i++)
		if (br_read_find_key(&top_keys, root->entries[i].key->text))
			br_read_entry(
				reader, &root->entries[i], &top_keys, &stages);
	br_stage_set_start(reader, &stages, root->entry_count);
	for (size_t i = 0; i < root->entry_count; i++)
		if (!br_read_find_key(&top_keys, root->entries[i].key->text))
			read_other(reader, &root->entries[i], &stages);
	br_stage_set_end(reader, &stages);
	warn_of_nothing(reader, root);
}
