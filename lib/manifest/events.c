/* SPDX-License-Identifier: MIT */
/*
 * events.c - libyaml's events, told to the tree. No other file includes yaml.h.
 *
 * The events are taken one by one: libyaml 0.2.5 takes time that grows with the
 * square of the depth of flow lists, and so must be stopped at the 65th level
 * before it reads on.
 */
#include <string.h>

#include <yaml.h>

#include "manifest/encoding.h"
#include "manifest/node.h"
#include "manifest/tree.h"

struct source {
	yaml_parser_t parser;
	struct br_tree tree;
};

static struct br_place place_of(yaml_mark_t mark)
{
	return (struct br_place){
		.line = (unsigned)mark.line + 1,
		.column = (unsigned)mark.column + 1,
	};
}

static struct br_tree_spot spot_of(
	const yaml_event_t *event, const yaml_char_t *anchor)
{
	return (struct br_tree_spot){
		.place = place_of(event->start_mark),
		.anchor = (const char *)anchor,
	};
}

/* What libyaml says where people most often go wrong, and what to do. */
static const char *syntax_help(const char *problem, char at)
{
	if (at == '\t')
		return "YAML takes no tabs here; indent with blanks";
	if (strstr(problem, "cannot start any token"))
		return "put a text that begins with this character in quotes";
	if (strstr(problem, "mapping values are not allowed"))
		return "put a text with ': ' in it in quotes, and indent the "
		       "keys of one mapping alike";
	if (strstr(problem, "block end") || strstr(problem, "expected key"))
		return "indent the items of a list, and the keys of a mapping, "
		       "alike";
	return NULL;
}

/* The byte at a place; 0 past the end. */
static char byte_at(struct br_lines *lines, struct br_place place)
{
	struct br_str line = br_lines_find(lines, place.line);
	size_t offset = br_lines_skip_chars(line, place.column - 1);

	if (offset >= line.len)
		return '\0';
	return line.data[offset];
}

static void report_syntax(struct source *source)
{
	const yaml_parser_t *parser = &source->parser;
	struct br_tree *tree = &source->tree;
	struct br_place place = place_of(parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "no memory";
	const char *help = syntax_help(problem, byte_at(&tree->lines, place));

	/* This context says nothing that the problem does not. */
	bool has_context = parser->context &&
		strcmp(parser->context, "while scanning for the next token") !=
			0;

	if (has_context && parser->context_mark.line + 1 != place.line)
		br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, help,
			"%s (%s that begins in line %zu)", problem,
			parser->context, parser->context_mark.line + 1);
	else if (has_context)
		br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, help,
			"%s (%s)", problem, parser->context);
	else
		br_diags_add(tree->diags, BR_SEVERITY_ERROR, place, help, "%s",
			problem);
}

static void report_tag(
	struct source *source, struct br_place place, const char *tag)
{
	static const char core[] = "tag:yaml.org,2002:";
	bool is_short = br_has_prefix(tag, core);

	br_diags_add(source->tree.diags, BR_SEVERITY_ERROR, place,
		"leave it out; a text is never converted",
		"the tag '%s%s' means nothing in a manifest",
		is_short ? "!!" : "", is_short ? tag + strlen(core) : tag);
}

/* Check that a list or mapping has no tag but its own of the core schema. */
static void check_tag(struct source *source, const yaml_event_t *event,
	const yaml_char_t *tag, const char *own)
{
	const char *text = (const char *)tag;

	if (text && strcmp(text, "!") != 0 && strcmp(text, own) != 0)
		report_tag(source, place_of(event->start_mark), text);
}

/*
 * Say whether a scalar may be null, a bool or a number: not where it has quotes
 * or the tag of a string. The other tags of the core schema change nothing.
 */
static bool is_plain_scalar(struct source *source, const yaml_event_t *event)
{
	static const char *const core[] = { YAML_NULL_TAG, YAML_BOOL_TAG,
		YAML_INT_TAG, YAML_FLOAT_TAG };
	const char *tag = (const char *)event->data.scalar.tag;
	bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (!tag)
		return is_plain;
	if (!strcmp(tag, "!") || !strcmp(tag, YAML_STR_TAG))
		return false;
	for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++)
		if (!strcmp(tag, core[i]))
			return true;
	report_tag(source, place_of(event->start_mark), tag);
	return is_plain;
}

static bool take_scalar(struct source *source, const yaml_event_t *event)
{
	struct br_str text = {
		.data = (const char *)event->data.scalar.value,
		.len = event->data.scalar.length,
	};
	bool is_plain = is_plain_scalar(source, event);

	return br_tree_add_scalar(&source->tree,
		spot_of(event, event->data.scalar.anchor), text, is_plain);
}

static bool take_list(struct source *source, const yaml_event_t *event)
{
	bool is_block =
		event->data.sequence_start.style == YAML_BLOCK_SEQUENCE_STYLE;

	check_tag(source, event, event->data.sequence_start.tag, YAML_SEQ_TAG);
	return br_tree_open(&source->tree,
		spot_of(event, event->data.sequence_start.anchor), BR_NODE_LIST,
		is_block);
}

static bool take_mapping(struct source *source, const yaml_event_t *event)
{
	check_tag(source, event, event->data.mapping_start.tag, YAML_MAP_TAG);
	return br_tree_open(&source->tree,
		spot_of(event, event->data.mapping_start.anchor),
		BR_NODE_MAPPING, false);
}

/* Only the first document is read; the start of a second one ends it all. */
static bool take_document(struct source *source, const yaml_event_t *event)
{
	if (!source->tree.root)
		return true;
	br_diags_add(source->tree.diags, BR_SEVERITY_ERROR,
		place_of(event->start_mark), "a manifest is one document",
		"a second YAML document begins here");
	return false;
}

/* Take one event; false: there is nothing more to be read. */
static bool take_event(struct source *source, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(source, event);
	case YAML_SEQUENCE_START_EVENT:
		return take_list(source, event);
	case YAML_MAPPING_START_EVENT:
		return take_mapping(source, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		br_tree_close(&source->tree);
		return true;
	case YAML_ALIAS_EVENT:
		return br_tree_add_alias(&source->tree,
			place_of(event->start_mark),
			(const char *)event->data.alias.anchor);
	case YAML_DOCUMENT_START_EVENT:
		return take_document(source, event);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return true;
	case YAML_STREAM_END_EVENT:
		return false;
	}
	return false;
}

/* Read the document to its end; false where a mistake ends it before. */
static bool take_all(struct source *source)
{
	for (;;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&source->parser, &event)) {
			report_syntax(source);
			return false;
		}
		bool is_end = event.type == YAML_STREAM_END_EVENT ||
			event.type == YAML_DOCUMENT_START_EVENT;
		bool goes_on = take_event(source, &event);

		yaml_event_delete(&event);
		if (!goes_on)
			return is_end;
	}
}

static void report_empty(struct br_diags *diags)
{
	br_diags_add(diags, BR_SEVERITY_ERROR,
		(struct br_place){ .line = 1, .column = 1 },
		"it needs 'stages', and for each name in it a mapping with "
		"'script'",
		"the manifest is empty");
}

static const struct br_node *parse_stream(
	struct source *source, struct br_str text)
{
	yaml_parser_set_encoding(&source->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&source->parser, (const unsigned char *)text.data, text.len);
	if (!take_all(source))
		return NULL;
	if (source->tree.root && !br_node_is_null(source->tree.root))
		return source->tree.root;
	report_empty(source->tree.diags);
	return NULL;
}

const struct br_node *br_node_parse(
	struct br_str text, struct br_arena *arena, struct br_diags *diags)
{
	struct source source = {
		.tree = {
			.arena = arena,
			.diags = diags,
			.lines = { .text = text },
		},
	};
	const struct br_node *root = NULL;

	if (text.len > BR_LIMIT_MANIFEST_BYTES) {
		br_diags_add(diags, BR_SEVERITY_ERROR, (struct br_place){ 0 },
			NULL, "the manifest is larger than %d bytes",
			BR_LIMIT_MANIFEST_BYTES);
		return NULL;
	}
	if (!br_encoding_check(text, diags))
		return NULL;
	if (!yaml_parser_initialize(&source.parser)) {
		report_syntax(&source);
		return NULL;
	}
	root = parse_stream(&source, text);
	yaml_parser_delete(&source.parser);
	br_tree_done(&source.tree);
	return root;
}
