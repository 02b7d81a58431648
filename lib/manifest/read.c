/* SPDX-License-Identifier: MIT */
#include "manifest/read.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "base/suggest.h"

void br_read_fail(struct br_reader *reader, struct br_place place,
	const char *help, const char *text)
{
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, place, help, "%s", text);
}

void br_read_wrong(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants, const char *help)
{
	br_autobuf struct br_buf got = { 0 };

	if (entry->value->kind == BR_NODE_BROKEN)
		return;
	br_node_describe(entry->value, &got);
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place, help,
		"%s must be %s, not %s", name, wants, br_buf_text(&got));
}

bool br_read_may_suggest(struct br_reader *reader)
{
	return reader->suggestion_count++ < BR_LIMIT_DIAGS;
}

const struct br_key *br_read_find_key(
	const struct br_keys *keys, const char *name)
{
	for (size_t i = 0; i < keys->count; i++)
		if (!strcmp(keys->rows[i].name, name))
			return &keys->rows[i];
	return NULL;
}

static const char *suggest_key(const struct br_keys *keys, const char *name)
{
	const char *best = NULL;
	br_autofree const char **names =
		br_alloc_array(keys->count, sizeof(*names));

	for (size_t i = 0; i < keys->count; i++)
		names[i] = keys->rows[i].name;
	best = br_suggest_find(name, names, keys->count);
	return best;
}

static void report_unknown(struct br_reader *reader,
	const struct br_entry *entry, const struct br_keys *keys)
{
	const char *name = entry->key->text;
	const char *near =
		br_read_may_suggest(reader) ? suggest_key(keys, name) : NULL;
	br_autofree char *help =
		near ? br_format("did you mean '%s'?", near) : NULL;

	br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->key->place,
		near ? help : keys->unknown_help, "unknown key '%s' in %s",
		name, keys->owner);
}

void br_read_entry(struct br_reader *reader, const struct br_entry *entry,
	const struct br_keys *keys, void *into)
{
	const struct br_key *key = br_read_find_key(keys, entry->key->text);

	if (!key)
		report_unknown(reader, entry, keys);
	else if (br_node_is_null(entry->value))
		return;
	else if (key->refused)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR,
			entry->key->place, NULL, "'%s' cannot stand in %s: %s",
			key->name, keys->owner, key->refused);
	else
		key->read(reader, entry, into);
}

bool br_read_mapping(struct br_reader *reader, const struct br_entry *entry,
	const struct br_keys *keys, void *into)
{
	const struct br_node *node = entry->value;

	if (node->kind != BR_NODE_MAPPING) {
		br_autofree char *name = br_format("'%s'", entry->key->text);

		br_read_wrong(
			reader, entry, name, "a mapping", keys->form_help);
		return false;
	}
	for (size_t i = 0; i < node->entry_count; i++)
		br_read_entry(reader, &node->entries[i], keys, into);
	return true;
}

const char *br_read_text(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants)
{
	const struct br_node *node = entry->value;

	if (node->kind == BR_NODE_SCALAR && !br_node_is_null(node))
		return br_arena_strdup(&reader->manifest->arena, node->text);
	br_read_wrong(reader, entry, name, wants, NULL);
	return NULL;
}

/* Say whether the text has a control character, or a blank if not wanted. */
static bool has_unwanted(const char *text, bool is_word)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f || (is_word && *at == ' '))
			return true;
	return false;
}

/* Check a text that was read; NULL, with a mistake, where it is wrong. */
static const char *check_line(struct br_reader *reader, struct br_place place,
	const char *name, bool is_word, const char *text)
{
	if (text[0] == '\0')
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, place, NULL,
			"%s must not be empty", name);
	else if (has_unwanted(text, is_word))
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, place, NULL,
			"%s must have no %scontrol characters", name,
			is_word ? "blanks or " : "");
	else
		return text;
	return NULL;
}

const char *br_read_line(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants)
{
	const char *text = br_read_text(reader, entry, name, wants);

	if (!text)
		return NULL;
	return check_line(reader, entry->place, name, false, text);
}

const char *br_read_word(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants)
{
	const char *text = br_read_text(reader, entry, name, wants);

	if (!text)
		return NULL;
	return check_line(reader, entry->place, name, true, text);
}

bool br_read_bool(struct br_reader *reader, const struct br_entry *entry,
	const char *wants, bool *value)
{
	const struct br_node *node = entry->value;
	br_autofree char *name = NULL;

	if (node->kind == BR_NODE_SCALAR && node->is_plain &&
		(!strcmp(node->text, "true") || !strcmp(node->text, "false"))) {
		*value = node->text[0] == 't';
		return true;
	}
	name = br_format("'%s'", entry->key->text);
	br_read_wrong(reader, entry, name, wants, NULL);
	return false;
}

/* Digits without a leading zero, which would be octal in older YAML. */
static bool is_decimal(const char *text)
{
	const char *digits = text + (text[0] == '-');

	return digits[0] != '\0' &&
		strspn(digits, "0123456789") == strlen(digits) &&
		(digits[0] != '0' || digits[1] == '\0');
}

bool br_read_int(struct br_reader *reader, const struct br_entry *entry,
	const char *name, const char *wants, int64_t min, int64_t max,
	int64_t *value)
{
	const struct br_node *node = entry->value;
	struct br_err err = { 0 };

	if (node->kind == BR_NODE_SCALAR && node->is_plain &&
		is_decimal(node->text) &&
		br_parse_int(node->text, min, max, value, &err))
		return true;
	br_read_wrong(reader, entry, name, wants, NULL);
	return false;
}

void br_read_amount(struct br_reader *reader, const struct br_entry *entry,
	br_parse_fn *parse, const char *wants, int64_t *value)
{
	struct br_err err = { 0 };
	br_autofree char *name = br_format("'%s'", entry->key->text);
	const char *text = br_read_text(reader, entry, name, wants);

	if (text && !parse(text, value, &err))
		br_read_fail(reader, entry->place, NULL, err.text);
}

/* A scalar where a list belongs: show it as a list of one. */
static void report_no_list(struct br_reader *reader,
	const struct br_entry *entry, const char *wants)
{
	const struct br_node *node = entry->value;
	br_autofree char *name = br_format("'%s'", entry->key->text);
	br_autofree char *help = node->kind == BR_NODE_SCALAR
		? br_format("as a list: %s: [%s]", entry->key->text, node->text)
		: NULL;

	br_read_wrong(reader, entry, name, wants, help);
}

void br_read_texts(struct br_reader *reader, const struct br_entry *entry,
	const char *wants, br_check_fn *check, struct br_texts *texts)
{
	const struct br_node *list = entry->value;
	br_autofree char *name = br_format("an item of '%s'", entry->key->text);

	if (list->kind != BR_NODE_LIST) {
		report_no_list(reader, entry, wants);
		return;
	}
	texts->items = br_arena_array(&reader->manifest->arena,
		list->entry_count, sizeof(*texts->items));
	texts->count = 0;
	for (size_t i = 0; i < list->entry_count; i++) {
		const struct br_entry *item = &list->entries[i];
		const char *text = br_read_line(reader, item, name, "text");

		if (!text || (check && !check(reader, item, text)))
			continue;
		texts->items[texts->count++] = (struct br_text){
			.text = text,
			.place = item->place,
		};
	}
}
