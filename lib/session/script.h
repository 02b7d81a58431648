/* SPDX-License-Identifier: MIT */
/*
 * script.h - the script that a stage's shell gets.
 *
 * It announces each shell step by its number on descriptor 9 and waits there for
 * a line, so that buildr-init knows which step is running and has all output of
 * the one before. Then it runs the step's text, byte for byte, in itself: no
 * subshell, so that `cd`, `export` and functions carry over, and without that
 * descriptor. Where steps of the exec form follow the last one for the shell, it
 * says 0 at its end, which a step that says `exit` does not.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "session/session.h"

enum {
	/* A longer script is no argument any more but a file (TAG_SCRIPT). */
	BR_SCRIPT_ARG_MAX_BYTES = 120 * 1024,
};

/*
 * Add the script for the shell steps among `steps`. `shell` is its program, by
 * which bash and zsh are known: they call what reaches a builtin past a function
 * of the same name `builtin`, and all others `command`.
 */
void br_script_build(const struct br_session_step *steps, size_t step_count,
	const char *shell, struct br_buf *script);

/*
 * Add what a script starts with that the shell reads as the file
 * /proc/self/fd/8, and give the shell's argument that makes it do so.
 */
const char *br_script_build_file(struct br_buf *script) BR_NONNULL_RESULT;
