/* SPDX-License-Identifier: MIT */
#include "log/header.h"

#include "base/json_text.h"
#include "base/limits.h"
#include "event/json_tree.h"

/* Of this form of the file; a later one may be read differently. */
enum { FORM = 1 };

static void add_text(struct br_buf *line, const char *key, const char *value)
{
	if (!value)
		return;
	br_buf_addf(line, ",\"%s\":", key);
	br_json_add_string(line, br_str(value));
}

void br_log_header_format(
	const struct br_log_header *header, struct br_buf *line)
{
	br_buf_addf(line, "{\"log\":%d", FORM);
	add_text(line, "branch", header->branch);
	add_text(line, "commit", header->commit);
	add_text(line, "command", header->command);
	br_buf_add_text(line, "}\n");
}

static const char *get_text(
	const cJSON *object, const char *key, struct br_arena *arena)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return item && br_json_tree_is_text(item)
		? br_arena_strdup(arena, item->valuestring)
		: NULL;
}

bool br_log_header_parse(struct br_str line, struct br_arena *arena,
	struct br_log_header *header)
{
	struct br_err unreadable = { 0 };
	cJSON *object = NULL;

	if (line.len > BR_LIMIT_EVENT_BYTES ||
		!br_json_tree_parse(line, &object, &unreadable))
		return false;

	const cJSON *form = cJSON_GetObjectItemCaseSensitive(object, "log");
	bool is_header = form && br_json_tree_is_int(form, FORM, FORM);

	if (is_header)
		*header = (struct br_log_header){
			.branch = get_text(object, "branch", arena),
			.commit = get_text(object, "commit", arena),
			.command = get_text(object, "command", arena),
		};
	cJSON_Delete(object);
	return is_header;
}
