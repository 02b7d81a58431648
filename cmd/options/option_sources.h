/* SPDX-License-Identifier: MIT */
/*
 * option_sources.h - options that are not on the command line.
 *
 * The environment (`BUILDR_` and the option's name) comes before the file, and the command
 * line before both. The file is `$XDG_CONFIG_HOME/buildr/config`, and where the variable is
 * not set `~/.config/buildr/config`; base/settings.h says what is in it. Whatever has a
 * variable can stand in it, and counts for the commands that read the variable.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/options/options.h"

/*
 * Take what the file says for `options->command`. To be called first; that there is none
 * is no failure.
 *
 * Fails with BR_EINPUT for a file that cannot be read, and, with its place, for a line that
 * is wrong, also where other commands take it.
 */
bool option_file_read(
	struct options *options, struct br_err *err) BR_MUST_CHECK;

/*
 * Take what the environment says for `options->command`, instead of what is there.
 *
 * Fails with BR_EINPUT, naming the variable.
 */
bool option_environment_read(
	struct options *options, struct br_err *err) BR_MUST_CHECK;

/*
 * Say where the file is, or would be. NULL: nowhere, since neither variable is set.
 *
 * Ownership: the caller frees it with free().
 */
char *option_file_path(void);
