/* SPDX-License-Identifier: MIT */
#include "run/prepared.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/clock.h"
#include "cache/store.h"
#include "run/identity.h"
#include "run/snapshots.h"

enum {
	US_PER_S = 1000000,
	US_PER_MS = 1000,
	/* Of the identity, and from the end of the build's id, which is where it is random. */
	TAG_IDENTITY_CHARS = 24,
	TAG_BUILD_CHARS = 12,
};

static bool define(const struct br_prepared_options *options,
	const uint8_t secret_key[BR_HASH_BYTES], struct br_prepared *prepared,
	struct br_err *err)
{
	struct br_identities identities = { 0 };

	br_identities_init(&identities, options->plan, secret_key);
	br_identities_set_digest(&identities, options->plan->stages[0].image,
		options->image->digest);

	bool is_good = br_identities_define(&identities, 0, err);
	if (is_good)
		memcpy(prepared->identity, identities.stages[0].bytes,
			BR_HASH_BYTES);
	br_identities_done(&identities);
	return is_good;
}

/* What one repository has left is for no other. */
static void add_repo(const char *repo, uint8_t identity[BR_HASH_BYTES])
{
	br_autobuf struct br_buf both = { 0 };

	if (!repo)
		return;
	br_buf_add(&both, identity, BR_HASH_BYTES);
	br_buf_add_text(&both, repo);
	br_hash_bytes(both.data, both.len, identity);
}

static bool find_identity(const struct br_prepared_options *options,
	struct br_prepared *prepared, struct br_err *err)
{
	br_auto(br_store) struct br_store *store = NULL;
	uint8_t secret_key[BR_HASH_BYTES] = { 0 };

	if (!br_store_open(options->store_folder, &store, err) ||
		!br_store_secret_key(store, secret_key, err) ||
		!define(options, secret_key, prepared, err))
		return false;
	add_repo(options->repo, prepared->identity);
	return true;
}

/* Choose among those that there are. */
static void choose(const struct br_prepared_options *options,
	const struct br_snapshots *snapshots, struct br_prepared *prepared)
{
	char identity[BR_HASH_TEXT_BYTES];
	const char *why = "";
	const struct br_snapshot_wish wish = {
		.identity = identity,
		.project_label = options->project_label,
		.kept_ms = options->plan->stages[0].kept_ms,
		.now_s = br_clock_wall_us() / US_PER_S,
	};
	size_t removed_count = 0;
	struct br_err ignored = { 0 };

	br_hash_format(prepared->identity, identity);

	const struct br_snapshot *found =
		br_snapshots_find(snapshots, &wish, &why);
	(void)snprintf(prepared->snapshot, sizeof(prepared->snapshot), "%s",
		found ? found->id : "");
	(void)snprintf(prepared->why, sizeof(prepared->why), "%s", why);
	/* Whoever looks next tries again. */
	(void)!br_snapshots_prune(options->engine, snapshots, wish.now_s, NULL,
		&removed_count, &ignored);
}

void br_prepared_find(
	const struct br_prepared_options *options, struct br_prepared *prepared)
{
	struct br_snapshots snapshots = { 0 };
	struct br_err err = { 0 };

	*prepared = (struct br_prepared){ .is_wanted = true };
	(void)snprintf(prepared->image, sizeof(prepared->image), "%s",
		options->image->id);
	prepared->is_known = find_identity(options, prepared, &err) &&
		br_engine_list_snapshots(options->engine, &snapshots, &err);
	if (prepared->is_known)
		choose(options, &snapshots, prepared);
	else
		(void)snprintf(prepared->why, sizeof(prepared->why), "%.255s",
			err.text);
	br_snapshots_done(&snapshots);
}

void br_prepared_lose(struct br_prepared *prepared)
{
	prepared->snapshot[0] = '\0';
	(void)snprintf(prepared->why, sizeof(prepared->why), "%s",
		"the image of it has just been removed");
}

/* No other build's, so that none loses its name. */
static char *make_tag(const char *identity, const char *build)
{
	size_t len = strlen(build);
	size_t skipped = len > TAG_BUILD_CHARS ? len - TAG_BUILD_CHARS : 0;

	return br_format(
		"%.*s-%s", TAG_IDENTITY_CHARS, identity, build + skipped);
}

bool br_prepared_keep(struct br_engine *engine,
	const struct br_prepared_save *save, struct br_err *err)
{
	char identity[BR_HASH_TEXT_BYTES];
	int64_t now_us = br_clock_wall_us();
	struct br_snapshots snapshots = { 0 };
	size_t removed_count = 0;
	struct br_err ignored = { 0 };

	br_hash_format(save->prepared->identity, identity);
	br_autofree char *tag = make_tag(identity, save->build);
	const struct br_snapshot_spec spec = {
		.container = save->container,
		.image = save->prepared->image,
		.tag = tag,
		.identity = identity,
		.expires_s = (now_us + save->kept_ms * US_PER_MS) / US_PER_S,
	};
	if (!br_engine_save_snapshot(engine, &spec, err))
		return false;
	if (br_engine_list_snapshots(engine, &snapshots, &ignored))
		(void)!br_snapshots_prune(engine, &snapshots, now_us / US_PER_S,
			tag, &removed_count, &ignored);
	br_snapshots_done(&snapshots);
	return true;
}
