/* SPDX-License-Identifier: MIT */
#include "log/tails.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Find the place in the list that points to the tail of `stage`, or its end. */
static struct br_log_tail **find_slot(
	struct br_log_tails *tails, const char *stage)
{
	struct br_log_tail **slot = &tails->tails;

	while (*slot && strcmp((*slot)->stage, stage) != 0)
		slot = &(*slot)->next;
	return slot;
}

static struct br_log_tail *find_or_add(
	struct br_log_tails *tails, const char *stage)
{
	struct br_log_tail **slot = find_slot(tails, stage);
	struct br_log_tail *tail = *slot;

	if (tail || tails->count == BR_LOG_TAILS)
		return tail;
	tail = br_alloc(sizeof(*tail));
	tail->stage = br_strdup(stage);
	tail->last = &tail->first;
	tails->count++;
	*slot = tail;
	return tail;
}

static void drop_first(struct br_log_tail *tail)
{
	struct br_log_piece *piece = tail->first;

	tail->dropped = piece->event;
	tail->dropped.output.data = (struct br_str){ NULL, 0 };
	tail->dropped_bytes += (int64_t)piece->event.output.data.len;
	tail->kept_bytes -= piece->event.output.data.len;
	tail->first = piece->next;
	if (!tail->first)
		tail->last = &tail->first;
	free(piece->data);
	free(piece);
}

static void add_piece(struct br_log_tail *tail, const struct br_event *output)
{
	struct br_log_piece *piece = br_alloc(sizeof(*piece));
	struct br_str data = output->output.data;

	piece->event = *output;
	piece->data = br_memdup(data.data, data.len);
	piece->event.output.stage = tail->stage;
	piece->event.output.data.data = piece->data;
	*tail->last = piece;
	tail->last = &piece->next;
	tail->kept_bytes += data.len;
}

bool br_log_tails_add(struct br_log_tails *tails, const struct br_event *output,
	struct br_event *dropped)
{
	struct br_log_tail *tail = find_or_add(tails, output->output.stage);
	bool has_dropped = false;

	if (!tail) {
		*dropped = *output;
		return true;
	}
	add_piece(tail, output);
	while (tail->kept_bytes - tail->first->event.output.data.len >=
		BR_LOG_TAIL_BYTES) {
		drop_first(tail);
		*dropped = tail->dropped;
		has_dropped = true;
	}
	return has_dropped;
}

struct br_log_tail *br_log_tails_take(
	struct br_log_tails *tails, const char *stage)
{
	struct br_log_tail **slot =
		stage ? find_slot(tails, stage) : &tails->tails;
	struct br_log_tail *tail = *slot;

	if (!tail)
		return NULL;
	*slot = tail->next;
	tails->count--;
	return tail;
}

void br_log_tail_free(struct br_log_tail *tail)
{
	if (!tail)
		return;
	while (tail->first)
		drop_first(tail);
	free(tail->stage);
	free(tail);
}
