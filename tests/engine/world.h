/* SPDX-License-Identifier: MIT */
/* world.h - what the tests of lib/engine against a real engine share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/process.h"
#include "base/uuid.h"
#include "engine/attach.h"
#include "engine/docker.h"
#include "engine/http.h"

enum { PATIENCE_MS = 60 * 1000 };

/* What each test has: an engine, and a build whose leftovers go at the end. */
struct world {
	struct br_engine *engine;
	char build[BR_UUID_TEXT_BYTES];
	char owner[BR_PROCESS_ID_TEXT_BYTES];
	struct br_process_id self;
};

/* Make a world, and end it with all that its build has left. For cmocka. */
int set_up(void **state);
int tear_down(void **state);

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Fail the test where a call failed, or `part` is not in `text`. */
void assert_good(bool is_good, const struct br_err *err);
void assert_part(const char *text, const char *part);

/* A container of this build that runs `command`, with no network: it is faster. */
struct br_container_spec spec_of(
	const struct world *world, const char *const *command);

/* Create a container. Ownership: the caller frees its id. */
char *create(const struct world *world, const struct br_container_spec *spec);

struct br_container_state inspect(const struct world *world, const char *id);

/* Wait until the engine has removed the container. */
void await_removal(const struct world *world, const char *id);

bool is_podman(const struct world *world);

/* Write `input` and read until the stream ends, or `wanted_len` bytes have come. */
void converse(struct br_attach *attach, const struct br_buf *input,
	size_t wanted_len, struct br_buf *output);

/* Start what was created to be attached, and read what it writes until its end. */
void run_attached(
	const struct world *world, const char *id, struct br_buf *output);

/* A client of the same engine, for what engine.h has no call for. */
struct br_http *open_http(void);

/* Call the engine; gives the answer's status. */
int call(const char *method, const char *path, const char *body);

/* Make the image `name`:x of a container, with `changes`, a line of a Dockerfile each. */
void commit(const char *id, const char *name, const char *const *changes);

/* Another owner, who lives until end_owner(). */
struct owner {
	char text[BR_PROCESS_ID_TEXT_BYTES];
	pid_t pid;
	int hold;
};

/* Start another owner, which waits for its end. */
struct owner start_owner(void);
void end_owner(const struct owner *owner);
