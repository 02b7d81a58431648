/* SPDX-License-Identifier: MIT */
#include "run/looks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void br_looks_init(
	struct br_looks *looks, const struct br_looks_options *options)
{
	*looks = (struct br_looks){ .options = *options };
}

void br_looks_done(struct br_looks *looks)
{
	for (size_t i = 0; i < looks->count; i++)
		br_starter_close(&looks->items[i].starter);
	free(looks->items);
	*looks = (struct br_looks){ 0 };
}

static const struct br_look *find(
	const struct br_looks *looks, const char *image)
{
	for (size_t i = 0; i < looks->count; i++)
		if (strcmp(looks->items[i].image, image) == 0)
			return &looks->items[i];
	return NULL;
}

bool br_looks_have(const struct br_looks *looks, const char *image)
{
	const struct br_look *look = find(looks, image);

	return look && look->is_there;
}

bool br_looks_are_open(const struct br_looks *looks, const char *image)
{
	for (size_t i = 0; i < looks->count; i++)
		if (looks->items[i].is_open &&
			(!image || strcmp(looks->items[i].image, image) == 0))
			return true;
	return false;
}

/* What is wrong with it, whoever makes a container of it will say. */
static void end(
	struct br_looks *looks, struct br_look *look, const char *digest)
{
	const char *image = look->image;

	br_starter_close(&look->starter);
	look->is_open = false;
	looks->options.seen(looks->options.ctx, image, digest);
}

void br_looks_open(struct br_looks *looks, const char *image)
{
	static const struct br_starter_place nowhere = { 0 };
	const struct br_run_options *run = looks->options.run;
	const struct br_starter_options how = {
		.engine = run->engine,
		.plan = looks->options.plan,
		.image = image,
		.pull = run->pull,
		.place = &nowhere,
		.is_image_only = true,
	};
	struct br_err ignored = { 0 };

	if (find(looks, image))
		return;
	looks->items = br_grow(looks->items, looks->count, &looks->capacity,
		sizeof(*looks->items));

	struct br_look *look = &looks->items[looks->count++];
	*look = (struct br_look){
		.image = image,
		.is_open = true,
		.starter = BR_STARTER_NONE,
	};
	if (!br_starter_open(&how, &look->starter, &ignored))
		end(looks, look, NULL);
}

size_t br_looks_poll_count(const struct br_looks *looks)
{
	return looks->count;
}

void br_looks_poll(const struct br_looks *looks, struct pollfd *waits)
{
	for (size_t i = 0; i < looks->count; i++)
		waits[i] = (struct pollfd){
			.fd = looks->items[i].starter.child.fd,
			.events = POLLIN,
		};
}

static void tell_pull(const struct br_looks *looks, const struct br_look *look,
	const struct br_starter_message *message)
{
	struct br_event event = {
		.type = BR_EVENT_IMAGE_PULLING,
		.image_pulling = {
			.image = look->image,
			.done = message->done,
			.total = message->total,
		},
	};

	br_emit(looks->options.emitter, &event);
}

static void take_image(struct br_looks *looks, struct br_look *look,
	const struct br_starter_message *message)
{
	struct br_event event = {
		.type = BR_EVENT_IMAGE_READY,
		.image_ready = {
			.image = look->image,
			.digest = message->digest,
			.seconds = message->seconds,
		},
	};

	look->is_there = true;
	br_emit(looks->options.emitter, &event);
	end(looks, look, message->digest);
}

static void take_message(struct br_looks *looks, struct br_look *look,
	const struct br_starter_message *message)
{
	if (message->type == BR_STARTER_PULLING)
		tell_pull(looks, look, message);
	else if (message->type == BR_STARTER_IMAGE)
		take_image(looks, look, message);
	else
		end(looks, look, NULL);
}

void br_looks_work(struct br_looks *looks)
{
	/* What is seen may open another one, and move them. */
	for (size_t i = 0; i < looks->count; i++) {
		struct br_starter_message message;
		struct br_err ignored = { 0 };
		bool is_there = true;

		while (looks->items[i].is_open && is_there) {
			if (!br_starter_read(&looks->items[i].starter, &message,
				    &is_there, &ignored))
				end(looks, &looks->items[i], NULL);
			else if (is_there)
				take_message(looks, &looks->items[i], &message);
		}
	}
}
