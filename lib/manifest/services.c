/* SPDX-License-Identifier: MIT */
#include "manifest/services.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "manifest/script.h"
#include "manifest/vars.h"

#define ALIAS_RULE \
	"a host name of at most 63 lower-case letters, digits, '-' and '.', with a " \
	"letter or digit first"

/* A label of a host name has no more (RFC 1035). */
enum { ALIAS_BYTES = 63 };

static void read_image(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;

	service->image =
		br_read_word(reader, entry, "'image'", "the name of an image");
}

static bool is_alias(const char *text, size_t len)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	return len > 0 && len <= ALIAS_BYTES && strspn(text, chars) >= len &&
		text[0] != '.' && text[0] != '-';
}

static void read_alias(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;
	const char *alias =
		br_read_text(reader, entry, "'alias'", "a host name");

	if (!alias)
		return;
	if (is_alias(alias, strlen(alias)))
		service->alias = alias;
	else
		br_read_wrong(reader, entry, "'alias'", ALIAS_RULE, NULL);
}

/* Read an argv, or a text that a shell runs; NULL, with a mistake: neither. */
static const char *const *read_argv(
	struct br_reader *reader, const struct br_entry *entry)
{
	static const char name[] = "'command'";
	const char **argv = NULL;
	const char *text = NULL;

	if (entry->value->kind == BR_NODE_LIST)
		return br_script_read_argv(reader, entry, name);
	text = br_read_text(reader, entry, name, "text or a list");
	if (!text)
		return NULL;
	if (text[0] == '\0') {
		br_read_fail(reader, entry->place, NULL,
			"'command' must not be empty");
		return NULL;
	}
	if (strlen(text) > BR_LIMIT_ENV_ENTRY_BYTES) {
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			"no program can be given a longer one",
			"a command of more than %d bytes",
			BR_LIMIT_ENV_ENTRY_BYTES);
		return NULL;
	}
	argv = br_arena_array(&reader->manifest->arena, 4, sizeof(*argv));
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = text;
	return argv;
}

static void read_command(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;

	service->command = read_argv(reader, entry);
}

static void read_environment(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;

	br_vars_read(reader, entry, &service->environment);
}

static void read_ready_port(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;
	int64_t port = 0;

	service->ready = BR_READY_PORT;
	if (br_read_int(reader, entry, "'port'", "a number from 1 to 65535", 1,
		    UINT16_MAX, &port))
		service->port = (unsigned)port;
}

static void read_ready_command(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;

	service->ready = BR_READY_COMMAND;
	service->ready_command = read_argv(reader, entry);
}

static bool has_key(const struct br_node *mapping, const char *key)
{
	const struct br_entry *entry = br_node_find(mapping, key);

	return entry && !br_node_is_null(entry->value);
}

static void read_ready(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	static const struct br_key rows[] = {
		{ .name = "port", .read = read_ready_port },
		{ .name = "command", .read = read_ready_command },
	};
	static const struct br_keys keys = {
		.rows = rows,
		.count = sizeof(rows) / sizeof(rows[0]),
		.owner = "'ready'",
		.form_help = "as in ready: {port: 5432}",
	};
	bool has_port = has_key(entry->value, "port");
	bool has_command = has_key(entry->value, "command");
	size_t errors = reader->diags->error_count;

	if (!br_read_mapping(reader, entry, &keys, into) ||
		reader->diags->error_count > errors)
		return;
	if (has_port == has_command)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			"as in ready: {port: 5432}",
			"'ready' must have %s 'port' or 'command'",
			has_port ? "only one of" : "one of");
}

static void read_timeout(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_service *service = into;

	br_read_amount(reader, entry, br_parse_duration,
		"a duration like 90s, 20m or 2h", &service->timeout_ms);
}

/* The last part of an image's name without its tag and digest. */
static struct br_str image_name(const char *image)
{
	struct br_str name = { .data = image, .len = strcspn(image, "@") };

	for (size_t i = name.len; i > 0; i--)
		if (name.data[i - 1] == '/') {
			name.data += i;
			name.len -= i;
			break;
		}
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] == ':')
			name.len = i;
	return name;
}

/* Name a service without an alias after its image. */
static void name_service(struct br_reader *reader, const struct br_entry *entry,
	struct br_service *service)
{
	struct br_str name = image_name(service->image);

	if (is_alias(name.data, name.len))
		service->alias = br_arena_memdup(
			&reader->manifest->arena, name.data, name.len);
	else
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			"give it one: 'alias' is " ALIAS_RULE,
			"the service '%s' needs an 'alias': its name is no "
			"host name",
			service->image);
}

static void read_mapping(struct br_reader *reader, const struct br_entry *item,
	struct br_service *service)
{
	static const struct br_key rows[] = {
		{ .name = "image", .read = read_image },
		{ .name = "alias", .read = read_alias },
		{ .name = "command", .read = read_command },
		{ .name = "environment", .read = read_environment },
		{ .name = "ready", .read = read_ready },
		{ .name = "timeout", .read = read_timeout },
	};
	static const struct br_keys keys = {
		.rows = rows,
		.count = sizeof(rows) / sizeof(rows[0]),
		.owner = "a service",
	};

	(void)br_read_mapping(reader, item, &keys, service);
	if (!has_key(item->value, "image"))
		br_read_fail(reader, item->place, "as in - image: postgres:16",
			"a service must have an 'image'");
}

static void read_service(struct br_reader *reader, const struct br_entry *item,
	struct br_service *service)
{
	static const char name[] = "a service";

	service->place = item->place;
	if (item->value->kind == BR_NODE_MAPPING)
		read_mapping(reader, item, service);
	else
		service->image = br_read_word(reader, item, name,
			"a mapping with 'image', or the name of an image");
	if (service->image && !has_key(item->value, "alias"))
		name_service(reader, item, service);
}

/* There are few, so that each can be held against those before it. */
static void check_alias(
	struct br_reader *reader, const struct br_services *services)
{
	const struct br_service *last = &services->items[services->count - 1];

	for (size_t i = 0; last->alias && i + 1 < services->count; i++) {
		const struct br_service *first = &services->items[i];

		if (!first->alias || strcmp(first->alias, last->alias) != 0)
			continue;
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, last->place,
			"each service of a stage has an 'alias' of its own",
			"the alias '%s' is used again; the first is in line %u",
			last->alias, first->place.line);
		return;
	}
}

static void report_no_list(
	struct br_reader *reader, const struct br_entry *entry)
{
	const struct br_node *node = entry->value;
	br_autofree char *help = node->kind == BR_NODE_SCALAR
		? br_format("as a list: services: [%s]", node->text)
		: br_strdup("each service begins with '- '");

	br_read_wrong(reader, entry, "'services'", "a list of services", help);
}

void br_services_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	const struct br_node *list = entry->value;
	struct br_stage *stage = into;
	struct br_services services = { .place = entry->key->place };

	if (list->kind != BR_NODE_LIST) {
		report_no_list(reader, entry);
		return;
	}
	if (list->entry_count > BR_LIMIT_SERVICES) {
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			NULL, "more than %d services of a stage",
			BR_LIMIT_SERVICES);
		return;
	}
	services.items = br_arena_array(&reader->manifest->arena,
		list->entry_count, sizeof(*services.items));
	for (size_t i = 0; i < list->entry_count; i++) {
		read_service(reader, &list->entries[i],
			&services.items[services.count++]);
		check_alias(reader, &services);
	}
	stage->services = services;
}
