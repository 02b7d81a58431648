/* SPDX-License-Identifier: MIT */
#include "watch/batch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"

static void add_path(struct br_batch *batch, const char *path, bool is_made)
{
	size_t count = batch->index.paths.count;
	size_t number = br_path_index_put(&batch->index, path);

	if (number < count)
		return;
	batch->is_made = br_grow(batch->is_made, count, &batch->made_capacity,
		sizeof(*batch->is_made));
	batch->is_made[number] = is_made;
}

void br_batch_add(struct br_batch *batch, enum br_watch_news news,
	const char *path, int64_t now_ms)
{
	if (br_batch_is_empty(batch))
		batch->first_ms = now_ms;
	batch->last_ms = now_ms;
	if (news == BR_WATCH_LOST ||
		batch->index.paths.count >= BR_LIMIT_WATCH_PATHS)
		batch->is_lost = true;
	if (path[0] != '\0' && batch->index.paths.count < BR_LIMIT_WATCH_PATHS)
		add_path(batch, path, news == BR_WATCH_MADE);
}

bool br_batch_is_empty(const struct br_batch *batch)
{
	return batch->index.paths.count == 0 && !batch->is_lost;
}

int64_t br_batch_wait_ms(const struct br_batch *batch, int64_t now_ms)
{
	int64_t quiet_ms = batch->last_ms + BR_BATCH_QUIET_MS - now_ms;
	int64_t most_ms = batch->first_ms + BR_BATCH_MOST_MS - now_ms;
	int64_t wait_ms = quiet_ms < most_ms ? quiet_ms : most_ms;

	if (br_batch_is_empty(batch))
		return -1;
	return wait_ms > 0 ? wait_ms : 0;
}

void br_batch_drop(struct br_batch *batch, const bool *is_dropped)
{
	struct br_batch kept = {
		.is_lost = batch->is_lost,
		.first_ms = batch->first_ms,
		.last_ms = batch->last_ms,
	};

	for (size_t i = 0; i < batch->index.paths.count; i++)
		if (!is_dropped[i])
			add_path(&kept, batch->index.paths.items[i],
				batch->is_made[i]);
	br_batch_done(batch);
	*batch = kept;
}

void br_batch_done(struct br_batch *batch)
{
	br_path_index_done(&batch->index);
	free(batch->is_made);
	*batch = (struct br_batch){ 0 };
}
