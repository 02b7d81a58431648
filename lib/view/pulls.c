/* SPDX-License-Identifier: MIT */
#include "view/pulls.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "view/words.h"

#define PROGRESS_EVERY_US (INT64_C(10) * 1000 * 1000)

struct br_pull {
	struct br_pull *next;
	char *image;
	/* When something was last said of it. */
	int64_t said_us;
};

static void free_pull(struct br_pull *pull)
{
	free(pull->image);
	free(pull);
}

void br_pulls_done(struct br_pulls *pulls)
{
	while (pulls->pulls) {
		struct br_pull *pull = pulls->pulls;

		pulls->pulls = pull->next;
		free_pull(pull);
	}
}

/* Find the place in the list that points to `image`, or its end. */
static struct br_pull **find_slot(struct br_pulls *pulls, const char *image)
{
	struct br_pull **slot = &pulls->pulls;

	while (*slot && strcmp((*slot)->image, image) != 0)
		slot = &(*slot)->next;
	return slot;
}

static void add_image(struct br_buf *text, const char *verb, const char *image)
{
	br_buf_addf(text, "  %s ", verb);
	br_words_add_safe(text, br_str(image));
}

static void start(struct br_pull **slot, const struct br_event *event,
	struct br_buf *text)
{
	const char *image = event->image_pulling.image;
	struct br_pull *pull = br_alloc(sizeof(*pull));

	pull->image = br_strdup(image);
	pull->said_us = event->wall_us;
	*slot = pull;
	add_image(text, "pulling", image);
	br_buf_add_char(text, '\n');
}

static void go_on(
	struct br_pull *pull, const struct br_event *event, struct br_buf *text)
{
	int64_t done = event->image_pulling.done;
	int64_t total = event->image_pulling.total;

	if (event->wall_us - pull->said_us < PROGRESS_EVERY_US || done < 0)
		return;
	pull->said_us = event->wall_us;
	add_image(text, "pulling", pull->image);
	br_buf_add_text(text, ": ");
	br_words_add_size(text, done);
	if (total >= 0) {
		br_buf_add_text(text, " of ");
		br_words_add_size(text, total);
	}
	br_buf_add_char(text, '\n');
}

static void finish(struct br_pull **slot, const struct br_event *event,
	bool is_verbose, struct br_buf *text)
{
	struct br_pull *pull = *slot;

	if (!pull && !is_verbose)
		return;
	add_image(text, pull ? "pulled" : "found", event->image_ready.image);
	if (pull) {
		br_buf_add_text(text, " in ");
		br_words_add_duration(text, event->image_ready.seconds);
		*slot = pull->next;
		free_pull(pull);
	}
	if (is_verbose && event->image_ready.digest) {
		br_buf_add_text(text, ", ");
		br_words_add_safe(text, br_str(event->image_ready.digest));
	}
	br_buf_add_char(text, '\n');
}

void br_pulls_format(struct br_pulls *pulls, const struct br_event *event,
	bool is_verbose, struct br_buf *text)
{
	struct br_pull **slot;

	if (event->type == BR_EVENT_IMAGE_READY) {
		slot = find_slot(pulls, event->image_ready.image);
		finish(slot, event, is_verbose, text);
		return;
	}
	slot = find_slot(pulls, event->image_pulling.image);
	if (*slot)
		go_on(*slot, event, text);
	else
		start(slot, event, text);
}
