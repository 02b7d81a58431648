/* SPDX-License-Identifier: MIT */
/* rerun_say.h - what --watch says between builds, on stderr; nothing with --quiet. */
#pragma once

#include "base/attr.h"
#include "cmd/options/options.h"
#include "watch/folders.h"

/* Say a line. */
void rerun_say(const struct options *options, const char *fmt, ...)
	BR_PRINTF(2, 3);

/* Say `what` of some files, of which the first few are named. */
void rerun_say_files(const struct options *options,
	const struct br_paths *paths, const char *what);
