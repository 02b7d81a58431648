/* SPDX-License-Identifier: MIT */
#include "agent/job.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/uuid.h"
#include "event/json_tree.h"
#include "manifest/manifest.h"

enum {
	/* Of a repository's address, a branch, a stage. */
	TEXT_MAX_BYTES = 4096,
	/* The labels that an agent may carry (contract.md). */
	LABELS_MAX = 6,
};

void job_free(struct job *job)
{
	if (!job)
		return;
	cJSON_Delete(job->tree);
	br_arena_done(&job->arena);
	free(job);
}

/* Say whether `text` can stand in a line that people and programs read. */
static bool is_line(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return len > 0 && len <= TEXT_MAX_BYTES;
}

static bool read_line(const cJSON *item, const char **value, struct br_err *err)
{
	if (!br_json_tree_is_text(item) || !is_line(item->valuestring))
		return br_fail(err, BR_EINPUT,
			"'%s' of the job must be a text of one line",
			item->string);
	*value = item->valuestring;
	return true;
}

/* Null is as good as not there, as in a manifest, and so is nothing for a name. */
static const cJSON *find(const struct job *job, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(job->tree, name);

	return item && !cJSON_IsNull(item) ? item : NULL;
}

static bool read_optional(const struct job *job, const char *name,
	const char **value, struct br_err *err)
{
	const cJSON *item = find(job, name);

	if (!item || (cJSON_IsString(item) && item->valuestring[0] == '\0'))
		return true;
	return read_line(item, value, err);
}

static bool read_switch(const struct job *job, const char *name, bool *is_on,
	struct br_err *err)
{
	const cJSON *item = find(job, name);

	if (item && !cJSON_IsBool(item))
		return br_fail(err, BR_EINPUT,
			"'%s' of the job must be true or false", name);
	*is_on = cJSON_IsTrue(item);
	return true;
}

static bool read_list(struct job *job, const char *name,
	struct job_texts *texts, struct br_err *err)
{
	const cJSON *list = find(job, name);
	const cJSON *item = NULL;

	if (!list)
		return true;
	if (!cJSON_IsArray(list))
		return br_fail(err, BR_EINPUT,
			"'%s' of the job must be a list of names", name);
	texts->items = br_arena_array(&job->arena,
		(size_t)cJSON_GetArraySize(list) + 1, sizeof(*texts->items));
	cJSON_ArrayForEach(item, list)
	{
		if (!br_json_tree_is_text(item) || !is_line(item->valuestring))
			return br_fail(err, BR_EINPUT,
				"'%s' of the job must be a list of names",
				name);
		texts->items[texts->count++] = item->valuestring;
	}
	return true;
}

static bool read_environment(struct job *job, struct br_err *err)
{
	const cJSON *mapping = find(job, "environment");
	struct job_texts *texts = &job->environment;
	const cJSON *item = NULL;

	if (!mapping)
		return true;
	if (!cJSON_IsObject(mapping))
		return br_fail(err, BR_EINPUT,
			"'environment' of the job must be a mapping");
	texts->items = br_arena_array(&job->arena,
		(size_t)cJSON_GetArraySize(mapping) + 1, sizeof(*texts->items));
	if (!br_json_tree_check_keys(mapping, err))
		return br_wrap(err, "'environment' of the job");
	cJSON_ArrayForEach(item, mapping)
	{
		if (!br_var_is_name(br_str(item->string)))
			return br_fail(err, BR_EINPUT,
				"'environment' of the job: '%s' is not the "
				"name of a variable",
				item->string);
		if (!br_json_tree_is_text(item))
			return br_fail(err, BR_EINPUT,
				"'environment' of the job: the value of '%s' "
				"must be a text",
				item->string);
		texts->items[texts->count++] = br_arena_format(
			&job->arena, "%s=%s", item->string, item->valuestring);
	}
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

/* They become part of a queue's name. */
bool job_is_label(const char *label)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_.:/=-";

	return strspn(label, chars) == strlen(label) && strlen(label) <= 64;
}

static bool read_labels(struct job *job, struct br_err *err)
{
	struct job_texts *labels = &job->labels;
	size_t kept = 0;

	if (!read_list(job, "labels", labels, err))
		return false;
	for (size_t i = 0; i < labels->count; i++)
		if (!job_is_label(labels->items[i]))
			return br_fail(err, BR_EINPUT,
				"'%s' is no label: letters, digits and _.:/=-, "
				"at most 64 bytes",
				labels->items[i]);
	if (labels->count > 0)
		qsort(labels->items, labels->count, sizeof(*labels->items),
			compare_texts);
	for (size_t i = 0; i < labels->count; i++)
		if (kept == 0 ||
			strcmp(labels->items[kept - 1], labels->items[i]) != 0)
			labels->items[kept++] = labels->items[i];
	labels->count = kept;
	if (kept > LABELS_MAX)
		return br_fail(err, BR_EINPUT,
			"the job has more than %d labels, and no agent has",
			LABELS_MAX);
	return true;
}

/* Any UUID will do; it is compared as text, so in one form. */
static bool read_id(struct job *job, struct br_err *err)
{
	const cJSON *item = find(job, "id");
	char id[BR_UUID_TEXT_BYTES];

	if (!item)
		return true;
	if (!br_json_tree_is_text(item) || !br_uuid_is_valid(item->valuestring))
		return br_fail(
			err, BR_EINPUT, "'id' of the job must be a UUID");
	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (char)tolower((unsigned char)item->valuestring[i]);
	job->id = br_arena_strdup(&job->arena, id);
	return true;
}

static void note_unknown(struct job *job)
{
	static const char *const known[] = { "repo", "branch", "commit", "id",
		"submodules", "lfs", "stages", "environment", "labels" };
	struct job_texts *unknown = &job->unknown;
	const cJSON *item = NULL;

	unknown->items = br_arena_array(&job->arena,
		(size_t)cJSON_GetArraySize(job->tree) + 1,
		sizeof(*unknown->items));
	cJSON_ArrayForEach(item, job->tree)
	{
		bool is_known = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known =
				is_known || strcmp(known[i], item->string) == 0;
		if (!is_known)
			unknown->items[unknown->count++] = item->string;
	}
}

static bool is_commit(const char *commit)
{
	size_t len = strlen(commit);

	return len >= 7 && len <= 64 &&
		strspn(commit, "0123456789abcdefABCDEF") == len;
}

static bool read_all(struct job *job, struct br_err *err)
{
	const cJSON *repo = NULL;

	/* First, so that a bad job is reported under its own id. */
	if (!read_id(job, err) || !br_json_tree_check_keys(job->tree, err))
		return false;
	repo = find(job, "repo");
	if (!repo)
		return br_fail(err, BR_EINPUT, "the job has no 'repo'");
	if (!read_line(repo, &job->repo, err) ||
		!read_optional(job, "branch", &job->branch, err) ||
		!read_optional(job, "commit", &job->commit, err) ||
		!read_switch(job, "submodules", &job->has_submodules, err) ||
		!read_switch(job, "lfs", &job->has_lfs, err) ||
		!read_list(job, "stages", &job->stages, err) ||
		!read_environment(job, err) || !read_labels(job, err))
		return false;
	if (job->commit && !is_commit(job->commit))
		return br_fail(err, BR_EINPUT,
			"'commit' of the job must be hexadecimal, of at least "
			"7 digits");
	note_unknown(job);
	return true;
}

bool job_parse(struct br_str text, struct job **job, struct br_err *err)
{
	struct job *read = br_alloc(sizeof(*read));

	*job = read;
	if (text.len > JOB_MAX_BYTES)
		return br_fail(err, BR_EINPUT,
			"the job has %zu bytes, at most %d are taken", text.len,
			JOB_MAX_BYTES);
	if (!br_json_tree_parse(text, &read->tree, err))
		return br_wrap(err, "the job");
	return read_all(read, err);
}

void job_format(const struct job *job, const char *id, struct br_buf *text)
{
	cJSON *copy = cJSON_Duplicate(job->tree, true);

	if (!copy)
		br_out_of_memory();
	cJSON_DeleteItemFromObjectCaseSensitive(copy, "id");
	cJSON_AddStringToObject(copy, "id", id);

	char *printed = cJSON_PrintUnformatted(copy);
	if (!printed)
		br_out_of_memory();
	/* What the tree has instead of U+0000. */
	for (const char *at = printed; *at != '\0'; at++)
		if ((unsigned char)*at == BR_JSON_NUL)
			br_buf_add_text(text, "\\u0000");
		else
			br_buf_add_char(text, *at);
	cJSON_free(printed);
	cJSON_Delete(copy);
}
