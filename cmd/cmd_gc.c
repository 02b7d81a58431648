/* SPDX-License-Identifier: MIT */
/* cmd_gc.c - `buildr gc`: removes what dead builds left behind. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/commands.h"
#include "engine/docker.h"
#include "run/snapshots.h"
#include "session/private.h"

enum { US_PER_S = 1000000 };

/* Images of prepared containers that no build will start from. */
static bool prune_snapshots(
	struct br_engine *engine, size_t *removed_count, struct br_err *err)
{
	struct br_snapshots snapshots = { 0 };

	if (!br_engine_list_snapshots(engine, &snapshots, err))
		return false;

	bool is_good = br_snapshots_prune(engine, &snapshots,
		br_clock_wall_us() / US_PER_S, NULL, removed_count, err);
	br_snapshots_done(&snapshots);
	return is_good;
}

int cmd_gc(const struct options *options)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	const struct br_docker_options where = {
		.address = options->docker_sock,
	};
	bool is_all = options->kept && !strcmp(options->kept, "all");
	struct br_process_id self;
	const struct br_sweep what = {
		.self = &self,
		/* "all" of them, or those of a build. */
		.kept = is_all ? "" : options->kept,
	};
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	if (!br_docker_open(&where, &engine, &err)) {
		complain(&err);
		return status_of(&err);
	}
	if (!br_process_self(&self, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}

	/* What lies here goes whether or not there is an engine. */
	size_t folder_count = br_private_sweep(&self);
	size_t image_count = 0;
	if (!br_engine_sweep(engine, &what, &swept, &err) ||
		!prune_snapshots(engine, &image_count, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}
	if (!options->is_quiet)
		(void)fprintf(stderr, "removed %zu\n",
			swept.removed_count + image_count + folder_count);
	return STATUS_PASS;
}
