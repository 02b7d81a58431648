/* SPDX-License-Identifier: MIT */
/*
 * facts.h - what `buildr doctor` tells of the engine that no build asks for.
 *
 * It takes some requests more than br_engine_describe(), of which a build has none to spare.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct br_engine;
struct br_http;

/* Starts out all zero. Texts are "" where the engine does not say. */
struct br_facts {
	bool is_podman;
	/* Versions of the API that it speaks. */
	char *api_oldest;
	char *api_newest;
	bool is_rootless;
	/* It has no cgroups, and so no limits. */
	bool is_unlimited;
	/* Where it keeps images, on its own file system. */
	char *root_dir;
	/* The smallest image that it has; NULL: none that has a name. */
	char *image;
};

/* Free what `facts` holds. */
void br_facts_done(struct br_facts *facts);

static inline void br_clean_facts(struct br_facts *facts)
{
	br_facts_done(facts);
}

#define br_autofacts __attribute__((cleanup(br_clean_facts)))

/*
 * Ask the engine. Ownership: br_facts_done(). Fails as br_http_want().
 */
bool br_facts_find(struct br_http *http, struct br_facts *facts,
	struct br_err *err) BR_MUST_CHECK;

/*
 * The same of an engine that br_docker_open() made.
 */
bool br_docker_facts(struct br_engine *engine, struct br_facts *facts,
	struct br_err *err) BR_MUST_CHECK;
