/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/alloc.h"
#include "event/json.h"
#include "view/private.h"

struct jsonl {
	struct br_view view;
	int fd;
	/* Kept for its memory. */
	struct br_buf line;
};

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct jsonl *jsonl = (struct jsonl *)self;

	br_event_format(event, &jsonl->line);
	return br_view_write_out(jsonl->fd, &jsonl->line, err);
}

static void free_jsonl(struct br_view *view)
{
	struct jsonl *jsonl = (struct jsonl *)view;

	br_buf_done(&jsonl->line);
	free(jsonl);
}

struct br_sink *br_jsonl_new(const struct br_view_options *options)
{
	struct jsonl *jsonl = br_alloc(sizeof(*jsonl));

	jsonl->view.sink.handle = handle;
	jsonl->view.free = free_jsonl;
	jsonl->fd = options->out_fd;
	return &jsonl->view.sink;
}
