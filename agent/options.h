/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line and the environment of buildr-agent.
 *
 * Every option has an environment variable, `BUILDR_` and its name; one that can be
 * given more than once has one value a line there.
 */
#pragma once

#include <stdbool.h>

#include "agent/agent.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Starts out all zero. */
struct options {
	struct agent_options agent;
	bool is_help;
	bool is_version;
	/* Private: what the members above point to. */
	struct br_arena arena;
};

/* Read them. Ownership: options_done(). Fails with BR_EINPUT. */
bool options_parse(int argc, char **argv, struct options *options,
	struct br_err *err) BR_MUST_CHECK;

/* Free what `options` holds. */
void options_done(struct options *options);

/* Add the text of --help. */
void options_help(struct br_buf *text);
