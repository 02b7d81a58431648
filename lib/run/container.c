/* SPDX-License-Identifier: MIT */
#include "run/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "engine/attach.h"

/* What is polled, in the order of the slots. */
enum { SLOT_STARTER, SLOT_LISTEN, SLOT_SESSION, SLOT_SAVER };

enum {
	/* For the engine's word that it has started what has long begun. */
	STARTED_TIMEOUT_MS = 10 * 1000,
};

/*
 * Whether a path means the same to each engine: a request is UTF-8, and Podman makes
 * a line of CSV of a mount.
 */
static bool is_plain_path(const char *path)
{
	for (const char *at = path; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == ',' || *at == '"')
			return false;
	return br_utf8_is_valid(path, strlen(path));
}

/* A link to the project, where its own path cannot stand in a request. */
static bool find_project_source(
	struct br_container *container, char **source, struct br_err *err)
{
	const char *folder = container->options.plan->project_dir;

	if (!is_plain_path(folder))
		return br_private_link(
			&container->private, folder, source, err);
	*source = br_strdup(folder);
	return true;
}

static bool start(struct br_container *container, struct br_err *err)
{
	const struct br_container_options *options = &container->options;
	br_autofree char *source = NULL;

	if (!find_project_source(container, &source, err))
		return false;

	const struct br_starter_options how = {
		.engine = options->engine,
		.plan = options->plan,
		.image = options->image,
		.pull = options->pull,
		.build = options->build,
		.owner = options->owner,
		.private_dir = container->private.folder,
		.project_dir = source,
		.wire = options->wire,
		.place = &container->options.place,
		.may_stay = options->may_stay,
		.prepared_store = options->prepared_store,
		.repo = options->repo,
	};
	return br_starter_open(&how, &container->starter, err);
}

bool br_container_open(const struct br_container_options *options,
	struct br_container *container, struct br_err *err)
{
	br_autofree char *init = NULL;

	*container = (struct br_container){
		.options = *options,
		.private = { .listen_fd = -1 },
		.starter = BR_STARTER_NONE,
		.saver = BR_STARTER_NONE,
		.opened_us = br_clock_now_us(),
		.is_held = options->place.is_held,
	};
	return br_private_find_init(&init, err) &&
		br_private_open(options->private_path, init,
			&container->private, err) &&
		start(container, err);
}

void br_container_poll(const struct br_container *container,
	struct pollfd waits[BR_CONTAINER_FDS])
{
	struct br_session *session = container->session;

	waits[SLOT_STARTER] =
		(struct pollfd){ .fd = container->starter.child.fd,
			.events = POLLIN };
	waits[SLOT_LISTEN] =
		(struct pollfd){ .fd = container->private.listen_fd,
			.events = POLLIN };
	waits[SLOT_SESSION] = (struct pollfd){ .fd = -1 };
	if (session && !br_session_has_ended(session))
		waits[SLOT_SESSION] =
			(struct pollfd){ .fd = br_session_fd(session),
				.events = br_session_poll_events(session) };
	waits[SLOT_SAVER] = (struct pollfd){ .fd = container->saver.child.fd,
		.events = POLLIN };
}

static void come_up(struct br_container *container)
{
	struct br_event event = {
		.type = BR_EVENT_CONTAINER_STARTED,
		.container_started = {
			.container = container->id,
			.image = container->options.image,
			.seconds = (double)(br_clock_now_us() -
					   container->opened_us) /
				1e6,
		},
	};

	/* What the private folder is for is mounted now. */
	br_private_close(&container->private);
	container->is_up = true;
	br_emit(container->options.emitter, &event);
}

static bool open_session(struct br_container *container, int fd,
	struct br_attach *attach, struct br_err *err)
{
	const struct br_plan *plan = container->options.plan;
	bool has_files =
		plan->caller_uid != 0 && !container->options.place.is_service;
	const struct br_session_setup setup = {
		.give_back_path = has_files ? BR_PLAN_PROJECT_MOUNT : NULL,
		.uid = plan->caller_uid,
		.gid = plan->caller_gid,
	};

	return br_session_open(fd, attach, &setup, &container->options.handlers,
		&container->session, err);
}

static bool accept_init(struct br_container *container, struct br_err *err)
{
	int fd =
		accept4(container->private.listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EAGAIN || errno == EINTR ||
			br_fail_errno(err, "accept buildr-init");
	if (!open_session(container, fd, NULL, err))
		return false;
	come_up(container);
	return true;
}

static bool attach_init(struct br_container *container, struct br_err *err)
{
	struct br_attach *attach = NULL;

	if (!br_engine_attach(
		    container->options.engine, container->id, &attach, err) ||
		!open_session(container, -1, attach, err))
		return false;
	container->is_attached = true;
	return container->is_held ||
		br_starter_go_on(&container->starter, true, err);
}

bool br_container_go_on(struct br_container *container, struct br_err *err)
{
	bool is_awaited = container->is_attached ||
		container->options.wire != BR_WIRE_STDIO;

	container->is_held = false;
	/* Over stdio it first says that it wants to be attached to. */
	return !is_awaited ||
		br_starter_go_on(
			&container->starter, container->is_attached, err);
}

static void emit_pulling(const struct br_container *container,
	const struct br_starter_message *message)
{
	struct br_event event = {
		.type = BR_EVENT_IMAGE_PULLING,
		.image_pulling = {
			.image = container->options.image,
			.done = message->done,
			.total = message->total,
		},
	};

	br_emit(container->options.emitter, &event);
}

static void take_image(struct br_container *container,
	const struct br_starter_message *message)
{
	struct br_event event = {
		.type = BR_EVENT_IMAGE_READY,
		.image_ready = {
			.image = container->options.image,
			.digest = message->digest,
			.seconds = message->seconds,
		},
	};

	free(container->digest);
	free(container->user);
	free(container->workdir);
	container->digest = br_strdup(message->digest);
	container->user = br_strdup(message->user);
	container->workdir = br_strdup(message->workdir);
	container->health_interval_ms = message->health_interval_ms;
	container->is_image_ready = true;
	if (!container->options.is_image_told)
		br_emit(container->options.emitter, &event);
}

static void take_word(struct br_container *container,
	const struct br_starter_message *message)
{
	struct br_container_words *words = &container->words[message->words];

	words->items = br_grow(words->items, words->count + 1, &words->capacity,
		sizeof(*words->items));
	words->items[words->count++] = br_strdup(message->word);
	words->items[words->count] = NULL;
}

static bool take_message(struct br_container *container,
	const struct br_starter_message *message, struct br_err *err)
{
	switch (message->type) {
	case BR_STARTER_NETWORK:
		container->is_network_made = true;
		return true;
	case BR_STARTER_WORD:
		take_word(container, message);
		return true;
	case BR_STARTER_PULLING:
		emit_pulling(container, message);
		return true;
	case BR_STARTER_IMAGE:
		take_image(container, message);
		return true;
	case BR_STARTER_PREPARED:
		container->prepared = message->prepared;
		return true;
	case BR_STARTER_CREATED:
		free(container->id);
		container->id = br_strdup(message->id);
		return true;
	case BR_STARTER_ATTACH:
		return attach_init(container, err);
	case BR_STARTER_STARTED:
		container->has_started = true;
		/* On the socket the connection says it first. */
		if (container->session && !container->is_up)
			come_up(container);
		return true;
	case BR_STARTER_FAILED:
		*err = message->err;
		return false;
	case BR_STARTER_SAVED:
		break;
	}
	return br_fail(err, BR_EPROTO, "a message that is none");
}

/* An engine that dies does no harm where the container is heard all the same. */
static bool fail_start(struct br_container *container)
{
	if (!container->is_up)
		return false;
	br_starter_close(&container->starter);
	return true;
}

static bool read_starter(struct br_container *container, struct br_err *err)
{
	struct br_starter_message message;
	bool is_there = true;

	while (is_there) {
		if (!br_starter_read(
			    &container->starter, &message, &is_there, err) ||
			(is_there && !take_message(container, &message, err)))
			return fail_start(container);
		/* It has no more to say once both sides say that it runs. */
		if (container->is_up && container->has_started) {
			br_starter_close(&container->starter);
			return true;
		}
	}
	return true;
}

bool br_container_save(struct br_container *container, struct br_err *err)
{
	const struct br_container_options *options = &container->options;
	const struct br_prepared_save save = {
		.prepared = &container->prepared,
		.container = container->id,
		.build = options->build,
		.kept_ms = options->plan->stages[0].kept_ms,
	};
	const struct br_starter_options how = {
		.engine = options->engine,
		.save = &save,
	};

	return br_starter_open(&how, &container->saver, err);
}

void br_container_drop_save(struct br_container *container)
{
	br_starter_close(&container->saver);
}

static void read_saver(struct br_container *container)
{
	struct br_starter_message message;
	struct br_err err = { 0 };
	bool is_there = false;

	if (!br_starter_read(&container->saver, &message, &is_there, &err))
		container->save_err = err;
	else if (!is_there)
		return;
	else if (message.type == BR_STARTER_FAILED)
		container->save_err = message.err;
	br_starter_close(&container->saver);
	container->is_save_over = true;
}

bool br_container_work(struct br_container *container,
	const struct pollfd waits[BR_CONTAINER_FDS], struct br_err *err)
{
	/* What the child has said comes first: the id, before who connects. */
	if ((waits[SLOT_STARTER].revents || waits[SLOT_LISTEN].revents) &&
		container->starter.child.fd >= 0 &&
		!read_starter(container, err))
		return false;
	if (waits[SLOT_LISTEN].revents && !container->session &&
		!accept_init(container, err))
		return false;
	if (container->is_up && container->has_started)
		br_starter_close(&container->starter);
	if (waits[SLOT_SAVER].revents && container->saver.child.fd >= 0)
		read_saver(container);
	return !waits[SLOT_SESSION].revents ||
		br_session_pump(container->session, err);
}

void br_container_end(struct br_container *container, enum br_container_end how)
{
	container->ending_ms = br_clock_now_ms();
	switch (how) {
	case BR_CONTAINER_GIVES_BACK:
		br_session_end(container->session);
		break;
	case BR_CONTAINER_LEAVES:
		br_session_leave(container->session);
		break;
	case BR_CONTAINER_STAYS:
		br_session_keep(container->session);
		break;
	}
}

/* A client that goes in the middle of a request may have it called off. */
bool br_container_has_ended(const struct br_container *container)
{
	bool is_start_known = container->starter.child.fd < 0 ||
		br_clock_now_ms() - container->ending_ms > STARTED_TIMEOUT_MS;

	return br_session_has_ended(container->session) && is_start_known;
}

static void free_words(struct br_container_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
}

void br_container_close(struct br_container *container)
{
	br_starter_close(&container->starter);
	br_starter_close(&container->saver);
	br_session_free(container->session);
	br_private_close(&container->private);
	free(container->id);
	free(container->digest);
	free(container->user);
	free(container->workdir);
	for (size_t i = 0; i < BR_WORDS_KINDS; i++)
		free_words(&container->words[i]);
	*container = BR_CONTAINER_CLOSED;
}
