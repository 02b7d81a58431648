/* SPDX-License-Identifier: MIT */
/*
 * docker.h - the engine that speaks the Docker Engine API.
 *
 * HTTP through libcurl, which is loaded at the first request (`dlopen`): linking
 * it costs every start of the program 3 ms and 5 MB. API versions from 1.41 up.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"

struct br_docker_options {
	/* -H; NULL: found as address.h says. Copied. */
	const char *address;
};

/*
 * Make the engine. Finds its address, but speaks to nobody yet.
 *
 * Ownership: the caller frees *engine with br_engine_free(). Fails with BR_EINPUT
 * where the address is none or a docker context is broken.
 */
bool br_docker_open(const struct br_docker_options *options,
	struct br_engine **engine, struct br_err *err) BR_MUST_CHECK;
