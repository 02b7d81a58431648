/* SPDX-License-Identifier: MIT */
/*
 * options.h - the options of buildr-agent, and where they come from.
 *
 * The command line comes before the environment (`BUILDR_` and the option's name), and
 * that before the file that --config names (settings.h). Of an option that can be given
 * more than once, what one of these gives replaces all that comes after it.
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
	/* NULL: none. */
	const char *config;
	bool is_check;
	bool is_help;
	bool is_version;
	/* Private: what the members above point to. */
	struct br_arena arena;
};

/*
 * Read them. Ownership: options_done(). `argv` is borrowed until then, and is put in
 * order. Fails with BR_EINPUT, also for a file that cannot be read.
 */
bool options_parse(int argc, char **argv, struct options *options,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read them again, into the same struct. What a running agent cannot change stays as
 * it is, and where it was to be another, its name is added to `kept`: `--queue --name`.
 *
 * Where it fails, which it does as options_parse(), nothing has changed.
 */
bool options_parse_again(int argc, char **argv, struct options *options,
	struct br_buf *kept, struct br_err *err) BR_MUST_CHECK;

/* Free what `options` holds. */
void options_done(struct options *options);

/* Add the text of --help. */
void options_help(struct br_buf *text);
