/* SPDX-License-Identifier: MIT */
#include "manifest/script.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

/* One item of an argv; the first names the program. */
static const char *read_argument(struct br_reader *reader,
	const struct br_entry *item, const char *name, bool is_first)
{
	const char *text = br_read_text(reader, item, name, "text");

	if (!text)
		return NULL;
	if (is_first && text[0] == '\0') {
		br_read_fail(reader, item->place, NULL,
			"the name of the program must not be empty");
		return NULL;
	}
	if (strlen(text) > BR_LIMIT_ENV_ENTRY_BYTES) {
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, item->place,
			"no program can be given a longer one",
			"an argument of more than %d bytes",
			BR_LIMIT_ENV_ENTRY_BYTES);
		return NULL;
	}
	return text;
}

const char *const *br_script_read_argv(struct br_reader *reader,
	const struct br_entry *entry, const char *name)
{
	const struct br_node *list = entry->value;
	br_autofree char *item_name = br_format("an item of %s", name);
	const char **argv = br_arena_array(
		&reader->manifest->arena, list->entry_count + 1, sizeof(*argv));
	bool is_good = list->entry_count > 0;

	if (!is_good)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			NULL, "%s must not be an empty list", name);
	for (size_t i = 0; i < list->entry_count; i++) {
		argv[i] = read_argument(
			reader, &list->entries[i], item_name, i == 0);
		is_good = is_good && argv[i];
	}
	return is_good ? argv : NULL;
}

/* `- echo a: b` is a mapping: show it as the text that was meant. */
static char *mapping_help(const struct br_node *step)
{
	const struct br_entry *pair = step->entries;
	bool is_text = step->entry_count == 1 &&
		pair->value->kind == BR_NODE_SCALAR && pair->value->is_plain &&
		!strchr(pair->key->text, '\'') &&
		!strchr(pair->value->text, '\'');

	if (!is_text)
		return br_strdup("YAML takes ': ' for a mapping; put the step "
				 "in quotes, or after '|'");
	return br_format("YAML takes ': ' for a mapping; put the step in "
			 "quotes: '%s:%s%s'",
		pair->key->text, pair->value->text[0] ? " " : "",
		pair->value->text);
}

static bool read_step(struct br_reader *reader, const struct br_entry *entry,
	struct br_step *step)
{
	const struct br_node *node = entry->value;
	br_autofree char *help = NULL;

	step->place = entry->dash;
	if (node->kind == BR_NODE_LIST) {
		step->argv = br_script_read_argv(reader, entry, "a step");
		return step->argv != NULL;
	}
	if (node->kind == BR_NODE_SCALAR && !br_node_is_null(node)) {
		step->text =
			br_arena_strdup(&reader->manifest->arena, node->text);
		return true;
	}
	if (node->kind == BR_NODE_MAPPING)
		help = mapping_help(node);
	else
		help = br_strdup("'' is a step that does nothing");
	br_read_wrong(reader, entry, "a step", "text or a list", help);
	return false;
}

void br_script_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	const struct br_node *script = entry->value;
	struct br_stage *stage = into;
	bool is_list = script->kind == BR_NODE_LIST;
	size_t count = is_list ? script->entry_count : 1;

	if (script->kind == BR_NODE_MAPPING) {
		br_read_wrong(reader, entry, "'script'",
			"a list of steps, or one text",
			"each step begins with '- '");
		return;
	}
	stage->steps = br_arena_array(
		&reader->manifest->arena, count, sizeof(*stage->steps));
	for (size_t i = 0; i < count; i++) {
		const struct br_entry *item =
			is_list ? &script->entries[i] : entry;

		if (read_step(reader, item, &stage->steps[stage->step_count]))
			stage->step_count++;
	}
}
