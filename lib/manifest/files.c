/* SPDX-License-Identifier: MIT */
#include "manifest/files.h"

#include <string.h>

#include "base/parse.h"
#include "manifest/glob.h"

static void read_globs(struct br_reader *reader, const struct br_entry *entry,
	br_check_fn *check, struct br_texts *globs)
{
	size_t errors = reader->diags->error_count;

	br_read_texts(reader, entry, "a list of globs", check, globs);
	if (reader->diags->error_count == errors &&
		br_glob_are_all_negated(globs))
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			"put what they are taken from before them, as in "
			"['src/**', '!src/**/*.md']",
			"'%s' has only globs with '!', so that it names no "
			"file",
			entry->key->text);
}

void br_inputs_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;

	stage->has_inputs = true;
	read_globs(reader, entry, br_glob_check_input, &stage->inputs);
}

void br_outputs_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;

	read_globs(reader, entry, br_glob_check_output, &stage->outputs);
}

void br_cache_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	bool is_cached = true;

	if (br_read_bool(reader, entry, "true or false", &is_cached))
		stage->is_uncached = !is_cached;
}

static bool is_true(const struct br_node *node)
{
	return node->kind == BR_NODE_SCALAR && node->is_plain &&
		!strcmp(node->text, "true");
}

void br_cache_check(struct br_reader *reader, const struct br_node *mapping,
	const struct br_stage *stage)
{
	const struct br_entry *cache = br_node_find(mapping, "cache");

	/* What `defaults` say is for those stages that have inputs. */
	if (stage->has_inputs || !cache || !is_true(cache->value))
		return;
	br_read_fail(reader, cache->place,
		"list its files under 'inputs', as in [src/**]; [] where "
		"there are none",
		"'cache' is true, but without 'inputs' nothing says when the "
		"stage must run again");
}

void br_cache_read_time(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;

	br_read_amount(reader, entry, br_parse_duration,
		"a duration like 12h or 7d", &stage->kept_ms);
}
