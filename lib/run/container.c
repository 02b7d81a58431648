/* SPDX-License-Identifier: MIT */
#include "run/container.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "engine/attach.h"
#include "session/private.h"

/* Where buildr-init is in the container, whichever way it came there. */
#define INIT_PATH "/.buildr/init"

static const char *const socket_command[] = { INIT_PATH, "socket", NULL };
static const char *const stdio_command[] = { INIT_PATH, "stdio", NULL };

enum {
	/* buildr-init connects within a millisecond; a loaded machine is slow. */
	CONNECT_TIMEOUT_MS = 60 * 1000,
	/* How often to ask whether the container still lives meanwhile. */
	LOOK_INTERVAL_MS = 500,
	/* buildr-init is 0.1 MiB. */
	INIT_MAX_BYTES = 4 * 1024 * 1024,
};

/* A link to the project, where its own path cannot stand in a request. */
static bool find_project_source(const struct br_private *private,
	const char *project_dir, char **source, struct br_err *err)
{
	if (!br_utf8_is_valid(project_dir, strlen(project_dir)))
		return br_private_link(private, project_dir, source, err);
	*source = br_strdup(project_dir);
	return true;
}

static bool create(const struct br_container_options *options,
	const struct br_private *private, bool is_stdio, char **id,
	struct br_err *err)
{
	const struct br_plan *plan = options->plan;
	br_autofree char *source = NULL;

	if (!find_project_source(private, plan->project_dir, &source, err))
		return false;

	const struct br_container_spec spec = {
		.image = options->image->id,
		.command = is_stdio ? stdio_command : socket_command,
		.build = options->build,
		.project_label = source,
		.owner = options->owner,
		.private_dir = is_stdio ? NULL : private->folder,
		.project_dir = source,
		.project_target = BR_PLAN_PROJECT_MOUNT,
		.has_docker = plan->has_docker,
		.is_attached = is_stdio,
		.memory_bytes = plan->memory_bytes,
		.cpus_nano = plan->cpus_nano,
		.pids = plan->pids,
		.network = plan->network,
	};

	return br_engine_create(options->engine, &spec, id, err);
}

/* Say why the container ended before its buildr-init spoke. */
static bool fail_of_ended(const struct br_container_options *options,
	const char *id, struct br_err *err)
{
	struct br_container_state state = { 0 };

	if (!br_engine_inspect(options->engine, id, &state, err))
		return false;
	if (state.exists && state.error[0] != '\0')
		return br_fail(err, BR_EUNAVAIL,
			"the container ended at its start: %s", state.error);
	return br_fail(err, BR_EUNAVAIL,
		"the container ended before buildr-init could connect");
}

/* Wait for the connection of buildr-init, looking after the container. */
static bool accept_init(const struct br_container_options *options,
	const char *id, int listen_fd, int *fd, struct br_err *err)
{
	int64_t deadline_ms = br_clock_now_ms() + CONNECT_TIMEOUT_MS;
	struct pollfd waits[] = {
		{ .fd = listen_fd, .events = POLLIN },
		{ .fd = options->engine->cancel_fd, .events = POLLIN },
	};

	while (br_clock_now_ms() < deadline_ms) {
		int ready = poll(waits, 2, LOOK_INTERVAL_MS);

		if (ready < 0 && errno != EINTR)
			return br_fail_errno(err, "wait for buildr-init");
		if (ready > 0 && waits[0].revents) {
			*fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
			return *fd >= 0 ||
				br_fail_errno(err, "accept buildr-init");
		}
		if (ready > 0)
			return br_fail(err, BR_ECANCELED, "stopped");

		struct br_container_state state = { 0 };
		if (ready == 0 &&
			!br_engine_inspect(options->engine, id, &state, err))
			return false;
		if (ready == 0 && !state.is_running)
			return fail_of_ended(options, id, err);
	}
	return br_fail(err, BR_ETIMEDOUT,
		"buildr-init did not connect within %d seconds",
		CONNECT_TIMEOUT_MS / 1000);
}

static bool open_session(const struct br_container_options *options, int fd,
	struct br_attach *attach, struct br_session **session,
	struct br_err *err)
{
	const struct br_plan *plan = options->plan;
	const struct br_session_setup setup = {
		.give_back_path =
			plan->caller_uid != 0 ? BR_PLAN_PROJECT_MOUNT : NULL,
		.uid = plan->caller_uid,
		.gid = plan->caller_gid,
	};
	br_auto(br_session) struct br_session *opened = NULL;

	if (!br_session_open(
		    fd, attach, &setup, &options->handlers, &opened, err))
		return false;
	if (!br_session_greet(opened, CONNECT_TIMEOUT_MS,
		    options->engine->cancel_fd, err))
		return false;
	*session = br_take_ptr(&opened);
	return true;
}

static bool start_on_socket(const struct br_container_options *options,
	const char *id, struct br_private *private, struct br_session **session,
	struct br_err *err)
{
	int fd = -1;

	if (!br_engine_start(options->engine, id, err))
		return false;
	if (!accept_init(options, id, private->listen_fd, &fd, err))
		return false;
	/* From here on the connection is all that there is to share. */
	br_private_close(private);
	return open_session(options, fd, NULL, session, err);
}

static bool copy_init(const struct br_container_options *options,
	const char *id, struct br_err *err)
{
	br_autofree char *path = NULL;
	br_autobuf struct br_buf program = { 0 };

	if (!br_private_find_init(&path, err) ||
		!br_file_load(path, INIT_MAX_BYTES, &program, err))
		return false;
	return br_engine_copy_in(options->engine, id, INIT_PATH,
		br_buf_text(&program), program.len, err);
}

static bool start_on_stdio(const struct br_container_options *options,
	const char *id, struct br_session **session, struct br_err *err)
{
	struct br_attach *attach = NULL;

	if (!copy_init(options, id, err) ||
		!br_engine_attach(options->engine, id, &attach, err))
		return false;
	if (!br_engine_start(options->engine, id, err)) {
		br_attach_close(attach);
		return false;
	}
	return open_session(options, -1, attach, session, err);
}

/* Remove what was begun; where that fails too, the janitor does it. */
static void discard(const struct br_container_options *options, const char *id)
{
	int cancel_fd = options->engine->cancel_fd;
	struct br_err ignored = { 0 };

	options->engine->cancel_fd = -1;
	(void)!br_engine_remove(options->engine, id, &ignored);
	options->engine->cancel_fd = cancel_fd;
}

static bool open_on_wire(const struct br_container_options *options,
	struct br_private *private, bool is_stdio,
	struct br_container *container, struct br_err *err)
{
	br_autofree char *id = NULL;

	if (!create(options, private, is_stdio, &id, err))
		return false;

	bool is_up = is_stdio
		? start_on_stdio(options, id, &container->session, err)
		: start_on_socket(
			  options, id, private, &container->session, err);
	if (!is_up) {
		discard(options, id);
		return false;
	}
	container->id = br_take_ptr(&id);
	return true;
}

/* Is it the private folder that the engine does not see, or no connection? */
static bool may_be_blind(
	const struct br_private *private, const struct br_err *err)
{
	if (err->code == BR_ENOTFOUND)
		return strstr(err->text, private->folder) != NULL;
	return err->code == BR_EUNAVAIL || err->code == BR_ETIMEDOUT;
}

static bool open_private(const struct br_container_options *options,
	struct br_private *private, struct br_err *err)
{
	br_autofree char *init = NULL;

	return br_private_find_init(&init, err) &&
		br_private_open(options->private_path, init, private, err);
}

bool br_container_open(const struct br_container_options *options,
	struct br_container *container, struct br_err *err)
{
	struct br_private private = { .listen_fd = -1 };
	struct br_err first = { 0 };

	if (!open_private(options, &private, err))
		return false;

	bool is_open = options->wire != BR_WIRE_STDIO &&
		open_on_wire(options, &private, false, container, &first);
	bool has_other_try = options->wire == BR_WIRE_STDIO ||
		(options->wire == BR_WIRE_AUTO && private.folder &&
			may_be_blind(&private, &first));

	if (!is_open && has_other_try)
		is_open = open_on_wire(options, &private, true, container, err);
	else if (!is_open)
		*err = first;
	br_private_close(&private);
	return is_open;
}

void br_container_close(struct br_container *container)
{
	br_session_free(container->session);
	free(container->id);
	*container = (struct br_container){ 0 };
}
