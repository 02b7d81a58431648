/* SPDX-License-Identifier: MIT */
/* fixture.h - one of each call of an engine, and a scripted one that works. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/docker.h"
#include "tests/fault/scripted.h"

#define ID "0123456789abcdef"
#define BUILD "11111111-2222-4333-8444-555555555555"
#define OK "200 OK"
/* What any call may begin with, the second where the test is not root's. */
#define PING \
	{ .request = "GET /_ping ", .status = OK, .body = "OK" }, \
	{ \
		.request = "/info ", .status = OK, .body = "{}" \
	}
/* The image `img`, as the engine describes it. */
#define IMAGE_JSON \
	"{\"Id\":\"sha256:" ID "\",\"RepoDigests\":[\"other@sha256:" HEX \
	"\",\"img@sha256:" HEX2 "\"],\"Config\":{\"User\":\"me\"}," \
	"\"Architecture\":\"arm64\"}"
/* A snapshot, as the engine lists it. */
#define SNAPSHOT_JSON \
	"{\"Id\":\"sha256:" HEX "\",\"RepoTags\":[\"buildr-prepare:t\"]," \
	"\"Created\":1700000000,\"Labels\":{\"io.buildr.prepare\":\"" HEX \
	"\",\"io.buildr.expires\":\"1800000000\"," \
	"\"io.buildr.project\":\"/p\"}}"
#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* A good answer to each call that is made below. */
extern const struct scripted_rule good[];

/* What call_create() asks for. */
extern const struct br_container_spec spec;

/* What call_save_snapshot() asks for. */
extern const struct br_snapshot_spec snapshot;

/* A call with arguments that fit `good`. */
struct call {
	const char *name;
	bool (*call)(struct br_engine *engine, struct br_err *err);
};

/* All but attach; the first is describe. */
enum { CALLS = 12 };
extern const struct call calls[CALLS];

/* Call what the name says. */
bool call_describe(struct br_engine *engine, struct br_err *err);
bool call_create(struct br_engine *engine, struct br_err *err);
bool call_create_network(struct br_engine *engine, struct br_err *err);
bool call_start(struct br_engine *engine, struct br_err *err);
bool call_inspect(struct br_engine *engine, struct br_err *err);
bool call_remove(struct br_engine *engine, struct br_err *err);
bool call_save_snapshot(struct br_engine *engine, struct br_err *err);
bool call_list_snapshots(struct br_engine *engine, struct br_err *err);
bool call_remove_snapshot(struct br_engine *engine, struct br_err *err);

/* Ignore SIGPIPE as the programs do, and nobody's own settings count. */
void prepare(void);

/* Open an engine on the server. Ownership: br_engine_free(). */
struct br_engine *open_engine(const struct scripted *server);

/* Fail the test where `part` is not in `text`. */
void assert_part(const char *text, const char *part);
