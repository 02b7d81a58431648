/* SPDX-License-Identifier: MIT */
#include "agent/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "base/uuid.h"

static void add_key(struct br_buf *text, const char *name)
{
	br_buf_add_char(text, text->len > 0 ? ',' : '{');
	br_json_add_string(text, br_str(name));
	br_buf_add_char(text, ':');
}

static void add_text(struct br_buf *text, const char *name, const char *value)
{
	if (!value)
		return;
	add_key(text, name);
	br_json_add_string(text, br_str(value));
}

static void add_switch(struct br_buf *text, const char *name, bool is_on)
{
	if (!is_on)
		return;
	add_key(text, name);
	br_buf_add_text(text, "true");
}

static void add_list(
	struct br_buf *text, const char *name, const struct option_list *list)
{
	if (list->count == 0)
		return;
	add_key(text, name);
	for (size_t i = 0; i < list->count; i++) {
		br_buf_add_char(text, i == 0 ? '[' : ',');
		br_json_add_string(text, br_str(list->items[i]));
	}
	br_buf_add_char(text, ']');
}

static size_t name_len(const char *entry)
{
	return strcspn(entry, "=");
}

/* Of a variable that is given twice the last counts. */
static bool is_given_later(const struct option_list *list, size_t index)
{
	const char *entry = list->items[index];
	size_t len = name_len(entry);

	for (size_t i = index + 1; i < list->count; i++)
		if (name_len(list->items[i]) == len &&
			strncmp(list->items[i], entry, len) == 0)
			return true;
	return false;
}

/* NAME=VALUE, or NAME alone for the caller's value. */
static bool add_variable(
	struct br_buf *mapping, const char *entry, struct br_err *err)
{
	size_t len = name_len(entry);
	br_autofree char *name = br_memdup(entry, len);
	const char *value = entry[len] == '=' ? entry + len + 1 : getenv(name);

	if (!value)
		return br_fail(err, BR_EINPUT,
			"-e %s: it is not set here; -e %s=VALUE gives it one",
			name, name);
	if (!br_utf8_is_valid(value, strlen(value)))
		return br_fail(
			err, BR_EINPUT, "-e %s: the value is not UTF-8", name);
	add_key(mapping, name);
	br_json_add_string(mapping, br_str(value));
	return true;
}

static bool add_environment(
	struct br_buf *text, const struct option_list *list, struct br_err *err)
{
	br_autobuf struct br_buf mapping = { 0 };

	if (list->count == 0)
		return true;
	for (size_t i = 0; i < list->count; i++)
		if (!is_given_later(list, i) &&
			!add_variable(&mapping, list->items[i], err))
			return false;
	add_key(text, "environment");
	br_buf_add(text, mapping.data, mapping.len);
	br_buf_add_char(text, '}');
	return true;
}

bool request_make(const struct options *options, struct br_buf *text,
	struct job **job, struct br_err *err)
{
	char made[BR_UUID_TEXT_BYTES];
	const char *id = options->id;

	if (options->is_everywhere && id)
		return br_fail(err, BR_EINPUT,
			"--id and --everywhere exclude each other: each agent "
			"makes a build of its own");
	if (!options->is_everywhere && !id) {
		if (!br_uuid_make(made, err))
			return false;
		id = made;
	}
	add_text(text, "repo", options->stages[0]);
	if (options->stage_count > 1)
		add_text(text, "branch", options->stages[1]);
	add_text(text, "commit", options->commit);
	add_text(text, "id", id);
	add_switch(text, "submodules", options->has_submodules);
	add_switch(text, "lfs", options->has_lfs);
	add_list(text, "stages", &options->job_stages);
	add_list(text, "labels", &options->labels);
	if (!add_environment(text, &options->env, err))
		return false;
	br_buf_add_char(text, '}');
	/* What the agents would say. */
	return job_parse(br_buf_str(text), job, err);
}
