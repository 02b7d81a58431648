/* SPDX-License-Identifier: MIT */
#include "tests/engine/world.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"

int set_up(void **state)
{
	struct world *world = br_alloc(sizeof(*world));
	struct br_docker_options options = { 0 };
	struct br_err err = { 0 };

	if (!br_docker_open(&options, &world->engine, &err) ||
		!br_uuid_make(world->build, &err) ||
		!br_process_self(&world->self, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	br_process_id_format(&world->self, world->owner);
	*state = world;
	return 0;
}

int tear_down(void **state)
{
	struct world *world = *state;
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };
	bool is_clean = br_engine_sweep(world->engine,
		&(struct br_sweep){ .build = world->build, .is_forced = true },
		&swept, &err);

	br_engine_free(world->engine);
	free(world);
	if (!is_clean)
		(void)fprintf(stderr, "%s\n", err.text);
	return is_clean ? 0 : -1;
}

void assert_good(bool is_good, const struct br_err *err)
{
	if (!is_good)
		fail_msg("code %d: %s", (int)err->code, err->text);
}

void assert_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

struct br_container_spec spec_of(
	const struct world *world, const char *const *command)
{
	return (struct br_container_spec){
		.image = "buildr-sample:latest",
		.command = command,
		.build = world->build,
		.project_label = "/a/test",
		.owner = world->owner,
		.network = "none",
	};
}

char *create(const struct world *world, const struct br_container_spec *spec)
{
	struct br_err err = { 0 };
	char *id = NULL;

	assert_good(br_engine_create(world->engine, spec, &id, &err), &err);
	return id;
}

struct br_container_state inspect(const struct world *world, const char *id)
{
	struct br_container_state found = { 0 };
	struct br_err err = { 0 };

	assert_good(br_engine_inspect(world->engine, id, &found, &err), &err);
	return found;
}

void await_removal(const struct world *world, const char *id)
{
	int64_t deadline_ms = br_clock_now_ms() + PATIENCE_MS;

	while (inspect(world, id).exists) {
		if (br_clock_now_ms() > deadline_ms)
			fail_msg("the container is still there");
		(void)poll(NULL, 0, 20);
	}
}

/* Podman counts its versions from 1, Docker by years. */
bool is_podman(const struct world *world)
{
	struct br_engine_info info = { 0 };
	struct br_err err = { 0 };

	assert_good(br_engine_describe(world->engine, &info, &err), &err);
	long major = strtol(info.version, NULL, 10);
	br_engine_info_done(&info);
	return major < 15;
}

static bool collect(
	void *ctx, const uint8_t *data, size_t len, struct br_err *err)
{
	(void)err;
	br_buf_add(ctx, data, len);
	return true;
}

void converse(struct br_attach *attach, const struct br_buf *input,
	size_t wanted_len, struct br_buf *output)
{
	struct br_err err = { 0 };
	size_t sent = 0;
	bool is_over = false;

	while (!is_over && output->len < wanted_len) {
		size_t left = input->len - sent;
		size_t n = 0;
		struct pollfd wait = {
			.fd = br_attach_fd(attach),
			.events = (short)(left > 0 ? POLLIN | POLLOUT : POLLIN),
		};

		if (poll(&wait, 1, PATIENCE_MS) != 1)
			fail_msg("nothing came after %zu bytes", output->len);
		if (left > 0 && (wait.revents & POLLOUT)) {
			assert_good(br_attach_write(attach, input->data + sent,
					    left, &n, &err),
				&err);
			sent += n;
		}
		assert_good(br_attach_read(attach, 65536, collect, output,
				    &is_over, &err),
			&err);
	}
}

void run_attached(
	const struct world *world, const char *id, struct br_buf *output)
{
	const struct br_buf nothing = { 0 };
	struct br_attach *attach = NULL;
	struct br_err err = { 0 };

	assert_good(br_engine_attach(world->engine, id, &attach, &err), &err);
	assert_good(br_engine_start(world->engine, id, &err), &err);
	converse(attach, &nothing, SIZE_MAX, output);
	br_attach_close(attach);
}

/* The life of the other owner: it says who it is, and waits for its end. */
static void live(int to, int hold)
{
	struct br_process_id id = { 0 };
	struct br_err err = { 0 };
	char text[BR_PROCESS_ID_TEXT_BYTES] = "";

	if (br_process_self(&id, &err))
		br_process_id_format(&id, text);
	(void)!write(to, text, sizeof(text));
	(void)!read(hold, text, 1);
	_exit(0);
}

struct owner start_owner(void)
{
	struct owner owner = { 0 };
	int from[2];
	int hold[2];

	assert_int_equal(pipe(from), 0);
	assert_int_equal(pipe(hold), 0);
	owner.pid = fork();
	assert_true(owner.pid >= 0);
	if (owner.pid == 0) {
		(void)close(hold[1]);
		live(from[1], hold[0]);
	}
	owner.hold = hold[1];
	(void)close(hold[0]);
	(void)close(from[1]);
	assert_int_equal(read(from[0], owner.text, sizeof(owner.text)),
		sizeof(owner.text));
	(void)close(from[0]);
	return owner;
}

void end_owner(const struct owner *owner)
{
	(void)close(owner->hold);
	assert_int_equal(waitpid(owner->pid, NULL, 0), owner->pid);
}

struct br_http *open_http(void)
{
	struct br_address address = { 0 };
	struct br_err err = { 0 };

	assert_good(br_address_find(NULL, &address, &err), &err);
	return br_http_new(&address);
}

int call(const char *method, const char *path, const char *body)
{
	br_auto(br_http) struct br_http *http = open_http();
	br_autoanswer struct br_http_answer answer = { 0 };
	struct br_err err = { 0 };

	assert_good(br_http_call(http,
			    &(struct br_http_request){ .method = method,
				    .path = path,
				    .body = body,
				    .body_len = body ? strlen(body) : 0,
				    .content_type = "application/json" },
			    &answer, &err),
		&err);
	return answer.status;
}

void commit(const char *id, const char *name, const char *const *changes)
{
	br_autobuf struct br_buf path = { 0 };

	br_buf_addf(&path, "/commit?container=%s&repo=%s&tag=x", id, name);
	for (size_t i = 0; changes[i]; i++) {
		br_buf_add_text(&path, "&changes=");
		br_http_add_escaped(&path, changes[i]);
	}
	assert_int_equal(call("POST", path.data, "{}"), 201);
}
