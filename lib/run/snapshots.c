/* SPDX-License-Identifier: MIT */
#include "run/snapshots.h"

#include <string.h>

enum { MS_PER_S = 1000 };

/* Of two that were made in the same second one has to count. */
static bool is_newer(const struct br_snapshot *a, const struct br_snapshot *b)
{
	if (a->created_s != b->created_s)
		return a->created_s > b->created_s;
	return strcmp(a->name, b->name) > 0;
}

static const struct br_snapshot *find_newest(
	const struct br_snapshots *snapshots, const char *identity)
{
	const struct br_snapshot *newest = NULL;

	for (size_t i = 0; i < snapshots->count; i++) {
		const struct br_snapshot *snapshot = &snapshots->list[i];

		if (!strcmp(snapshot->identity, identity) &&
			(!newest || is_newer(snapshot, newest)))
			newest = snapshot;
	}
	return newest;
}

static bool is_of_project(
	const struct br_snapshots *snapshots, const char *project_label)
{
	for (size_t i = 0; i < snapshots->count; i++)
		if (!strcmp(snapshots->list[i].project, project_label))
			return true;
	return false;
}

const struct br_snapshot *br_snapshots_find(
	const struct br_snapshots *snapshots,
	const struct br_snapshot_wish *wish, const char **why)
{
	const struct br_snapshot *newest =
		find_newest(snapshots, wish->identity);

	if (!newest) {
		*why = is_of_project(snapshots, wish->project_label)
			? "the engine has an image of another script, image or environment"
			: "the engine has no image of it";
		return NULL;
	}
	/* What the manifest says may have changed since. */
	if (newest->expires_s <= wish->now_s ||
		newest->created_s + wish->kept_ms / MS_PER_S <= wish->now_s) {
		*why = "the image of it is too old";
		return NULL;
	}
	return newest;
}

/* An engine may have more before the name. */
static bool has_tag(const struct br_snapshot *snapshot, const char *tag)
{
	const char *colon = strrchr(snapshot->name, ':');

	return colon && !strcmp(colon + 1, tag);
}

static bool is_useless(const struct br_snapshots *snapshots,
	const struct br_snapshot *snapshot, int64_t now_s)
{
	return snapshot->expires_s <= now_s ||
		find_newest(snapshots, snapshot->identity) != snapshot;
}

bool br_snapshots_prune(struct br_engine *engine,
	const struct br_snapshots *snapshots, int64_t now_s, const char *kept,
	size_t *removed_count, struct br_err *err)
{
	struct br_err first = { 0 };

	*removed_count = 0;
	for (size_t i = 0; i < snapshots->count; i++) {
		const struct br_snapshot *snapshot = &snapshots->list[i];
		struct br_err problem = { 0 };
		bool is_gone = false;

		if ((kept && has_tag(snapshot, kept)) ||
			!is_useless(snapshots, snapshot, now_s))
			continue;
		if (!br_engine_remove_snapshot(
			    engine, snapshot->name, &is_gone, &problem) &&
			first.code == BR_OK)
			first = problem;
		*removed_count += is_gone ? 1 : 0;
	}
	if (first.code == BR_OK)
		return true;
	*err = first;
	return false;
}
