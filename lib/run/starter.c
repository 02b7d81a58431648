/* SPDX-License-Identifier: MIT */
#include "run/starter.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "engine/attach.h"
#include "session/private.h"

/* Where buildr-init is in the container, whichever way it came there. */
#define INIT_PATH "/.buildr/init"

static const char *const socket_command[] = { INIT_PATH, "socket", NULL };
static const char *const stdio_command[] = { INIT_PATH, "stdio", NULL };

enum {
	/* How often to ask whether the container lives until it has spoken. */
	LOOK_INTERVAL_MS = 500,
	/* buildr-init connects within a millisecond; a loaded machine is slow. */
	CONNECT_TIMEOUT_MS = 60 * 1000,
	/* buildr-init is 0.1 MiB. */
	INIT_MAX_BYTES = 4 * 1024 * 1024,
};

/* What the parent says. */
enum word { WORD_NONE, WORD_START, WORD_ATTACHED };

/* The child's own state. */
struct work {
	const struct br_starter_options *options;
	int fd;
	/* What the container is made of. */
	struct br_image image;
	struct br_prepared prepared;
};

/* A parent that could not be told would wait for ever: let it see the end. */
static void tell(
	const struct work *work, const struct br_starter_message *message)
{
	while (send(work->fd, message, sizeof(*message), MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			_exit(EXIT_FAILURE);
}

static void on_pull(void *ctx, int64_t done, int64_t total)
{
	const struct work *work = ctx;

	tell(work,
		&(struct br_starter_message){
			.type = BR_STARTER_PULLING,
			.done = done,
			.total = total,
		});
}

/* The project's own path, where a label can hold it; else that of the link. */
static const char *project_label(const struct br_starter_options *options)
{
	const char *path = options->plan->project_dir;

	return br_utf8_is_valid(path, strlen(path)) ? path
						    : options->project_dir;
}

/* Hand on a list of words, of which none may be cut. */
static bool tell_words(const struct work *work, enum br_words words,
	char *const *list, struct br_err *err)
{
	for (size_t i = 0; list && list[i]; i++) {
		struct br_starter_message message = {
			.type = BR_STARTER_WORD,
			.words = words,
		};

		if (strlen(list[i]) >= sizeof(message.word))
			return br_fail(err, BR_EINPUT,
				"image '%s': an argument of its command is "
				"longer than %zu bytes",
				work->options->image, sizeof(message.word) - 1);
		(void)snprintf(
			message.word, sizeof(message.word), "%s", list[i]);
		tell(work, &message);
	}
	return true;
}

/* What a service is to run, and how it is known to be well. */
static bool tell_command(const struct work *work, const struct br_image *image,
	struct br_err *err)
{
	return tell_words(work, BR_WORDS_ENTRYPOINT, image->entrypoint, err) &&
		tell_words(work, BR_WORDS_COMMAND, image->command, err) &&
		tell_words(work, BR_WORDS_HEALTH, image->health_command, err);
}

static bool make_network(const struct work *work, struct br_err *err)
{
	const struct br_starter_options *options = work->options;
	const struct br_network_spec spec = {
		.name = options->place->new_network,
		.build = options->build,
		.project_label = project_label(options),
		.owner = options->owner,
		.may_stay = options->may_stay,
	};

	if (!spec.name)
		return true;
	if (!br_engine_create_network(options->engine, &spec, err))
		return false;
	tell(work, &(struct br_starter_message){ .type = BR_STARTER_NETWORK });
	return true;
}

static bool get_image(
	const struct work *work, struct br_image *image, struct br_err *err)
{
	const struct br_starter_options *options = work->options;
	int64_t start_us = br_clock_now_us();
	struct br_starter_message message = { .type = BR_STARTER_IMAGE };

	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	void *ctx = (void *)(uintptr_t)work;

	if (!br_engine_image(options->engine, options->image, options->pull,
		    on_pull, ctx, image, err))
		return false;
	(void)snprintf(
		message.digest, sizeof(message.digest), "%s", image->digest);
	(void)snprintf(message.user, sizeof(message.user), "%s", image->user);
	(void)snprintf(message.workdir, sizeof(message.workdir), "%s",
		image->workdir ? image->workdir : "");
	message.health_interval_ms = image->health_interval_ms;
	if (options->place->is_service && !tell_command(work, image, err))
		return false;
	message.seconds = (double)(br_clock_now_us() - start_us) / 1e6;
	tell(work, &message);
	return true;
}

static bool create_of(const struct work *work, const char *image, bool is_stdio,
	char **id, struct br_err *err)
{
	const struct br_starter_options *options = work->options;
	const struct br_starter_place *place = options->place;
	const struct br_plan *plan = options->plan;
	struct br_container_spec spec = {
		.image = image,
		.command = is_stdio ? stdio_command : socket_command,
		.build = options->build,
		.project_label = project_label(options),
		.owner = options->owner,
		.private_dir = is_stdio ? NULL : options->private_dir,
		.is_attached = is_stdio,
		.network = place->network ? place->network : plan->network,
		.alias = place->alias,
		.second_network = place->second_network,
		.extra_hosts = place->extra_hosts,
		.may_stay = options->may_stay,
	};

	if (!place->is_service) {
		spec.project_dir = options->project_dir;
		spec.project_target = BR_PLAN_PROJECT_MOUNT;
		spec.has_docker = plan->has_docker;
		spec.memory_bytes = plan->memory_bytes;
		spec.cpus_nano = plan->cpus_nano;
		spec.pids = plan->pids;
	}
	return br_engine_create(options->engine, &spec, id, err);
}

/* Whether it is the image that is not there, and not a folder that is not seen. */
static bool is_missing(const char *image, const struct br_err *err)
{
	return err->code == BR_ENOTFOUND && strstr(err->text, image) != NULL;
}

static bool create(
	struct work *work, bool is_stdio, char **id, struct br_err *err)
{
	struct br_prepared *prepared = &work->prepared;
	struct br_starter_message message = { .type = BR_STARTER_CREATED };
	bool is_created = prepared->snapshot[0] != '\0' &&
		create_of(work, prepared->snapshot, is_stdio, id, err);

	if (!is_created && prepared->snapshot[0] != '\0') {
		/* Another build may have removed it since. */
		if (!is_missing(prepared->snapshot, err))
			return false;
		br_prepared_lose(prepared);
	}
	if (!is_created && !create_of(work, work->image.id, is_stdio, id, err))
		return false;
	if (prepared->is_wanted)
		tell(work,
			&(struct br_starter_message){
				.type = BR_STARTER_PREPARED,
				.prepared = *prepared,
			});
	(void)snprintf(message.id, sizeof(message.id), "%s", *id);
	tell(work, &message);
	return true;
}

static bool start(const struct work *work, const char *id, struct br_err *err)
{
	if (!br_engine_start(work->options->engine, id, err))
		return false;
	tell(work, &(struct br_starter_message){ .type = BR_STARTER_STARTED });
	return true;
}

static bool copy_init(
	const struct work *work, const char *id, struct br_err *err)
{
	br_autofree char *path = NULL;
	br_autobuf struct br_buf program = { 0 };

	if (!br_private_find_init(&path, err) ||
		!br_file_load(path, INIT_MAX_BYTES, &program, err))
		return false;
	return br_engine_copy_in(work->options->engine, id, INIT_PATH,
		br_buf_text(&program), program.len, err);
}

/* Wait for a word of the parent, at most `timeout_ms`; WORD_NONE: none came. */
static char hear(const struct work *work, int timeout_ms)
{
	struct pollfd wait = { .fd = work->fd, .events = POLLIN };
	int ready = 0;
	char word = WORD_NONE;

	do
		ready = poll(&wait, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return WORD_NONE;
	/* The parent has closed: it needs us no longer. */
	if (recv(work->fd, &word, 1, 0) != 1)
		_exit(EXIT_SUCCESS);
	return word;
}

/* Say why the container ended before its buildr-init spoke. */
static bool fail_of_ended(
	const struct br_container_state *state, struct br_err *err)
{
	if (state->exists && state->error[0] != '\0')
		return br_fail(err, BR_EUNAVAIL,
			"the container ended at its start: %s", state->error);
	return br_fail(err, BR_EUNAVAIL,
		"the container ended before buildr-init could connect");
}

/* Look after the container until the parent has its connection. */
static bool watch(const struct work *work, const char *id, struct br_err *err)
{
	int64_t deadline_ms = br_clock_now_ms() + CONNECT_TIMEOUT_MS;

	while (br_clock_now_ms() < deadline_ms) {
		struct br_container_state state = { 0 };

		(void)hear(work, LOOK_INTERVAL_MS);
		if (!br_engine_inspect(work->options->engine, id, &state, err))
			return false;
		if (!state.is_running)
			return fail_of_ended(&state, err);
	}
	return br_fail(err, BR_ETIMEDOUT,
		"buildr-init did not connect within %d seconds",
		CONNECT_TIMEOUT_MS / 1000);
}

static bool start_on_socket(
	const struct work *work, const char *id, struct br_err *err)
{
	while (work->options->place->is_held && hear(work, -1) == WORD_NONE)
		continue;
	return start(work, id, err) && watch(work, id, err);
}

static bool start_on_stdio(
	const struct work *work, const char *id, struct br_err *err)
{
	if (!copy_init(work, id, err))
		return false;
	tell(work, &(struct br_starter_message){ .type = BR_STARTER_ATTACH });
	/* What was said before to a container on a socket counts for that one. */
	while (hear(work, -1) != WORD_ATTACHED)
		continue;
	return start(work, id, err);
}

static bool start_on_wire(struct work *work, bool is_stdio, struct br_err *err)
{
	br_autofree char *id = NULL;
	struct br_err ignored = { 0 };

	if (!create(work, is_stdio, &id, err))
		return false;
	if (is_stdio ? start_on_stdio(work, id, err)
		     : start_on_socket(work, id, err))
		return true;
	/* Where this fails too, the janitor does it. */
	(void)!br_engine_remove(work->options->engine, id, &ignored);
	return false;
}

/* Is it the private folder that the engine does not see, or no connection? */
static bool may_be_blind(
	const struct br_starter_options *options, const struct br_err *err)
{
	if (err->code == BR_ENOTFOUND)
		return strstr(err->text, options->private_dir) != NULL;
	return err->code == BR_EUNAVAIL || err->code == BR_ETIMEDOUT;
}

static void find_prepared(struct work *work)
{
	const struct br_starter_options *options = work->options;
	const struct br_prepared_options how = {
		.engine = options->engine,
		.plan = options->plan,
		.store_folder = options->prepared_store,
		.project_label = project_label(options),
		.repo = options->repo,
		.image = &work->image,
	};

	if (options->prepared_store)
		br_prepared_find(&how, &work->prepared);
}

static bool start_container(struct work *work, struct br_err *err)
{
	const struct br_starter_options *options = work->options;

	find_prepared(work);
	if (options->wire != BR_WIRE_STDIO && start_on_wire(work, false, err))
		return true;
	return (options->wire == BR_WIRE_STDIO ||
		       (options->wire == BR_WIRE_AUTO &&
			       may_be_blind(options, err))) &&
		start_on_wire(work, true, err);
}

static bool bring_up(struct work *work, struct br_err *err)
{
	bool is_up = make_network(work, err) &&
		get_image(work, &work->image, err) &&
		(work->options->is_image_only || start_container(work, err));

	br_image_done(&work->image);
	return is_up;
}

static bool save(const struct work *work, struct br_err *err)
{
	const struct br_starter_options *options = work->options;

	if (!br_prepared_keep(options->engine, options->save, err))
		return false;
	tell(work, &(struct br_starter_message){ .type = BR_STARTER_SAVED });
	return true;
}

static void starter_main(const void *ctx, int fd)
{
	struct br_starter_message message = { .type = BR_STARTER_FAILED };
	struct work work = { .options = ctx, .fd = fd };

	work.options->engine->cancel_fd = -1;
	/* What is left to say is read before the end is. */
	if (work.options->save ? !save(&work, &message.err)
			       : !bring_up(&work, &message.err))
		tell(&work, &message);
}

bool br_starter_open(const struct br_starter_options *options,
	struct br_starter *starter, struct br_err *err)
{
	return br_child_start(starter_main, options, &starter->child, err);
}

bool br_starter_read(struct br_starter *starter,
	struct br_starter_message *message, bool *is_there, struct br_err *err)
{
	ssize_t n = recv(
		starter->child.fd, message, sizeof(*message), MSG_DONTWAIT);

	*is_there = n == (ssize_t)sizeof(*message);
	if (*is_there || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	return br_fail(err, BR_EUNAVAIL,
		"the process that starts the container has ended");
}

bool br_starter_go_on(
	const struct br_starter *starter, bool is_attached, struct br_err *err)
{
	char word = is_attached ? WORD_ATTACHED : WORD_START;

	while (send(starter->child.fd, &word, 1, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return br_fail_errno(err, "start the container");
	return true;
}

void br_starter_close(struct br_starter *starter)
{
	br_child_end(&starter->child);
}
