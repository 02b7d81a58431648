/* SPDX-License-Identifier: MIT */
#include "engine/sweep.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "engine/container.h"
#include "engine/json.h"
#include "engine/network.h"

enum { CALL_TIMEOUT_MS = 60 * 1000 };

#define OWNER_LABEL "io.buildr.owner"
#define BUILD_LABEL "io.buildr.build"
#define KEEP_LABEL "io.buildr.keep"

/* A sweep on its way. */
struct broom {
	struct br_http *http;
	const struct br_sweep *sweep;
	struct br_swept swept;
	/* The first thing that went wrong; code BR_OK: nothing did. */
	struct br_err first;
};

static void note(struct broom *broom, const struct br_err *err)
{
	if (broom->first.code == BR_OK)
		broom->first = *err;
}

static void count(struct broom *broom, enum br_removal removal)
{
	switch (removal) {
	case BR_REMOVAL_DONE:
		broom->swept.removed_count++;
		break;
	case BR_REMOVAL_MISSING:
		broom->swept.missing_count++;
		break;
	case BR_REMOVAL_REFUSED:
		broom->swept.left_count++;
		break;
	}
}

/* List what carries the label; `path` is that of the list, up to the filter. */
static bool list(const struct broom *broom, const char *path,
	struct cJSON **found, struct br_err *err)
{
	const char *build = broom->sweep->build;
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autobuf struct br_buf filters = { 0 };
	br_autobuf struct br_buf url = { 0 };
	br_autofree char *label = build ? br_format(BUILD_LABEL "=%s", build)
					: br_strdup(OWNER_LABEL);

	br_buf_add_text(&filters, "{\"label\":[");
	br_json_add_string(&filters, br_str(label));
	br_buf_add_text(&filters, "]}");
	br_buf_add_text(&url, path);
	br_http_add_escaped(&url, filters.data);
	if (!br_http_want(broom->http,
		    &(struct br_http_request){
			    .method = "GET",
			    .path = url.data,
			    .timeout_ms = CALL_TIMEOUT_MS,
		    },
		    &answer, err))
		return false;
	return br_json_parse(br_buf_str(&answer.body), found, err) ||
		br_wrap(err, "the engine's answer");
}

/* An agent runs a job again under the id of the try that failed. */
static bool is_own(const struct br_sweep *sweep, const struct cJSON *entry)
{
	char self[BR_PROCESS_ID_TEXT_BYTES];

	br_process_id_format(sweep->self, self);
	return !strcmp(self,
		br_json_find_text(br_json_find(entry, "Labels"), OWNER_LABEL));
}

/* Whether it is ours to remove: of the build that was named, or of nobody. */
static bool is_orphan(const struct br_sweep *sweep, const struct cJSON *entry)
{
	struct br_process_id owner = { 0 };
	struct br_err ignored = { 0 };

	if (sweep->build)
		return !sweep->self || is_own(sweep, entry);
	return br_process_id_parse(
		       br_json_find_text(
			       br_json_find(entry, "Labels"), OWNER_LABEL),
		       &owner, &ignored) &&
		br_process_is_gone(&owner, sweep->self);
}

/* One of those that may stay, and that somebody has asked to go. */
static bool is_kept_one(const struct br_sweep *sweep, const struct cJSON *entry)
{
	const struct cJSON *labels = br_json_find(entry, "Labels");

	return sweep->kept &&
		br_json_find_text(labels, KEEP_LABEL)[0] != '\0' &&
		(sweep->kept[0] == '\0' ||
			!strcmp(sweep->kept,
				br_json_find_text(labels, BUILD_LABEL)));
}

/*
 * Whether it goes also if it runs. As a rule what runs ends by itself when its owner
 * does, as buildr-init sees that; but not where it was told to stay.
 */
static bool may_kill(const struct br_sweep *sweep, const struct cJSON *entry)
{
	return sweep->build ? sweep->is_forced : is_kept_one(sweep, entry);
}

static bool is_at_rest(const struct cJSON *entry)
{
	static const char *const resting[] = { "created", "exited", "dead",
		/* Podman's words. */
		"configured", "initialized", "stopped" };
	const char *state = br_json_find_text(entry, "State");

	for (size_t i = 0; i < sizeof(resting) / sizeof(resting[0]); i++)
		if (!strcmp(state, resting[i]))
			return true;
	return false;
}

/* An id becomes part of a path. */
static bool is_id(const char *id)
{
	return id[0] != '\0' && strspn(id, "0123456789abcdef") == strlen(id);
}

static void sweep_container(struct broom *broom, const struct cJSON *entry)
{
	const char *id = br_json_find_text(entry, "Id");
	bool is_forced = may_kill(broom->sweep, entry);
	enum br_removal removal = BR_REMOVAL_REFUSED;
	struct br_err err = { 0 };

	if (!is_id(id) || !is_orphan(broom->sweep, entry))
		return;
	/* By now it may run, though it did not when the list was made. */
	if ((is_forced || is_at_rest(entry)) &&
		!br_container_try_remove(
			broom->http, id, is_forced, &removal, &err))
		note(broom, &err);
	count(broom, removal);
}

static void sweep_network(struct broom *broom, const struct cJSON *entry)
{
	const char *id = br_json_find_text(entry, "Id");
	const char *name = br_json_find_text(entry, "Name");
	bool is_removed = false;
	struct br_err err = { 0 };

	if (!is_id(id) || !is_orphan(broom->sweep, entry))
		return;
	if (!br_network_remove(broom->http, id, name, &is_removed, &err))
		note(broom, &err);
	else if (is_removed)
		broom->swept.removed_count++;
	else
		broom->swept.left_count++;
}

static void sweep_kind(struct broom *broom, const char *path,
	void (*one)(struct broom *broom, const struct cJSON *entry))
{
	br_autojson struct cJSON *found = NULL;
	struct br_err err = { 0 };

	if (!list(broom, path, &found, &err)) {
		note(broom, &err);
		return;
	}
	for (const struct cJSON *entry = br_json_first(found); entry;
		entry = br_json_next(entry))
		one(broom, entry);
}

/*
 * Podman removes no container whose network another one has, and says so: when the
 * others are gone it can go.
 */
static void sweep_containers(struct broom *broom)
{
	static const char path[] = "/containers/json?all=1&filters=";

	sweep_kind(broom, path, sweep_container);
	if (broom->first.code == BR_OK || broom->first.code == BR_ECANCELED ||
		broom->swept.removed_count + broom->swept.missing_count == 0)
		return;
	broom->first = (struct br_err){ 0 };
	broom->swept.left_count = 0;
	sweep_kind(broom, path, sweep_container);
}

bool br_sweep_run(struct br_http *http, const struct br_sweep *sweep,
	struct br_swept *swept, struct br_err *err)
{
	struct broom broom = { .http = http, .sweep = sweep };

	/* Containers first: a network that is in use cannot go. */
	sweep_containers(&broom);
	if (broom.first.code != BR_ECANCELED)
		sweep_kind(&broom, "/networks?filters=", sweep_network);
	if (broom.first.code != BR_OK) {
		*err = broom.first;
		return br_wrap(err, "clean up in the engine");
	}
	*swept = broom.swept;
	return true;
}
