/* SPDX-License-Identifier: MIT */
/* Which snapshots an engine has. */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/parse.h"
#include "engine/json.h"
#include "engine/snapshot.h"

enum { CALL_TIMEOUT_MS = 60 * 1000 };

/* `buildr-prepare:...`, before which Podman has where it would pull it from. */
static bool is_name(const char *text)
{
	static const char *const starts[] = { BR_SNAPSHOT_REPOSITORY ":",
		"docker.io/library/" BR_SNAPSHOT_REPOSITORY ":",
		"localhost/" BR_SNAPSHOT_REPOSITORY ":" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (br_has_prefix(text, starts[i]))
			return true;
	return false;
}

/* Borrowed from `entry`; NULL where it has no name of ours. */
static const char *find_name(const struct cJSON *entry)
{
	const struct cJSON *tags = br_json_find(entry, "RepoTags");

	if (!br_json_is_array(tags))
		return NULL;
	for (const struct cJSON *tag = br_json_first(tags); tag;
		tag = br_json_next(tag))
		if (is_name(br_json_text(tag)))
			return br_json_text(tag);
	return NULL;
}

static void add(struct br_snapshots *snapshots, const struct cJSON *entry)
{
	const struct cJSON *labels = br_json_find(entry, "Labels");
	const char *id = br_json_find_text(entry, "Id");
	const char *name = find_name(entry);
	const char *identity = br_json_find_text(labels, BR_SNAPSHOT_LABEL);
	const char *expires =
		br_json_find_text(labels, BR_SNAPSHOT_EXPIRES_LABEL);
	int64_t expires_s = 0;
	struct br_err ignored = { 0 };

	/* Somebody else's who takes the label for himself. */
	if (!name || id[0] == '\0' || identity[0] == '\0' ||
		!br_parse_int(expires, 0, INT64_MAX, &expires_s, &ignored))
		return;
	snapshots->list = br_grow(snapshots->list, snapshots->count,
		&snapshots->capacity, sizeof(*snapshots->list));
	snapshots->list[snapshots->count++] = (struct br_snapshot){
		.id = br_strdup(id),
		.name = br_strdup(name),
		.identity = br_strdup(identity),
		.project = br_strdup(
			br_json_find_text(labels, "io.buildr.project")),
		.created_s = br_json_int(br_json_find(entry, "Created"), 0),
		.expires_s = expires_s,
	};
}

bool br_snapshot_parse(
	struct br_str text, struct br_snapshots *snapshots, struct br_err *err)
{
	br_autojson struct cJSON *value = NULL;
	struct br_snapshots found = { 0 };

	if (!br_json_parse(text, &value, err))
		return br_wrap(err, "the engine's answer");
	if (!br_json_is_array(value))
		return br_fail(err, BR_EPROTO,
			"the engine's answer is no list of images");
	for (const struct cJSON *entry = br_json_first(value); entry;
		entry = br_json_next(entry))
		add(&found, entry);
	*snapshots = found;
	return true;
}

bool br_snapshot_list(struct br_http *http, struct br_snapshots *snapshots,
	struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autobuf struct br_buf path = { 0 };

	br_buf_add_text(&path, "/images/json?filters=");
	br_http_add_escaped(&path, "{\"label\":[\"" BR_SNAPSHOT_LABEL "\"]}");
	return (br_http_want(http,
			&(struct br_http_request){
				.method = "GET",
				.path = path.data,
				.timeout_ms = CALL_TIMEOUT_MS,
			},
			&answer, err) &&
		       br_snapshot_parse(
			       br_buf_str(&answer.body), snapshots, err)) ||
		br_wrap(err, "list the images of prepared containers");
}
