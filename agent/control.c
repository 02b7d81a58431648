/* SPDX-License-Identifier: MIT */
#include "agent/control.h"

#include <ctype.h>

#include "base/json_text.h"
#include "event/json_tree.h"

void control_format_cancel(const char *build, struct br_buf *body)
{
	br_buf_add_text(body, "{\"build\":");
	br_json_add_string(body, br_str(build));
	br_buf_add_char(body, '}');
}

static bool read_build(
	const cJSON *tree, char build[BR_UUID_TEXT_BYTES], struct br_err *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, "build");

	if (!br_json_tree_is_text(item) || !br_uuid_is_valid(item->valuestring))
		return br_fail(err, BR_EINPUT, "'build' must be a UUID");
	for (size_t i = 0; i < BR_UUID_TEXT_BYTES; i++)
		build[i] = (char)tolower((unsigned char)item->valuestring[i]);
	return true;
}

bool control_parse_cancel(
	struct br_str body, char build[BR_UUID_TEXT_BYTES], struct br_err *err)
{
	cJSON *tree = NULL;

	if (!br_json_tree_parse(body, &tree, err))
		return false;

	bool is_read = read_build(tree, build, err);
	cJSON_Delete(tree);
	return is_read;
}

void control_format_answer(
	const struct control_answer *answer, struct br_buf *body)
{
	br_buf_add_text(body, "{\"agent\":");
	br_json_add_string(body, br_str(answer->agent));
	br_buf_add_text(body, ",\"build\":");
	br_json_add_string(body, br_str(answer->build));
	br_buf_add_text(body, ",\"queue\":");
	br_json_add_string(body, br_str(answer->queue));
	br_buf_add_char(body, '}');
}

static bool read_answer(const cJSON *tree, struct br_arena *arena,
	struct control_answer *answer, struct br_err *err)
{
	const cJSON *agent = cJSON_GetObjectItemCaseSensitive(tree, "agent");
	const cJSON *queue = cJSON_GetObjectItemCaseSensitive(tree, "queue");

	if (!br_json_tree_is_text(agent))
		return br_fail(err, BR_EINPUT, "'agent' must be a text");
	if (!read_build(tree, answer->build, err))
		return false;
	answer->agent = br_arena_strdup(arena, agent->valuestring);
	answer->queue = br_arena_strdup(
		arena, br_json_tree_is_text(queue) ? queue->valuestring : "");
	return true;
}

bool control_parse_answer(struct br_str body, struct br_arena *arena,
	struct control_answer *answer, struct br_err *err)
{
	cJSON *tree = NULL;

	if (!br_json_tree_parse(body, &tree, err))
		return false;

	bool is_read = read_answer(tree, arena, answer, err);
	cJSON_Delete(tree);
	return is_read;
}
