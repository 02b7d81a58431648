/* SPDX-License-Identifier: MIT */
/*
 * dotenv.h - files of NAME=VALUE lines.
 *
 * `export NAME=VALUE` and `#` lines are allowed, `'...'` is literal, `"..."`
 * knows \n, \" and \\ (other backslashes stay), both may span lines, and nothing
 * is expanded. After the closing quote only a comment may follow. A value without
 * quotes goes to the end of the line, without blanks at either end; a `#` in it
 * is part of it. CR LF ends a line as LF does, and names are br_var_is_name()'s.
 */
#pragma once

#include "base/arena.h"
#include "manifest/diag.h"
#include "manifest/manifest.h"

/*
 * Read dotenv text; mistakes go to `diags`, which the caller has started with
 * the same text. `vars` gets the others, in order; no value is NULL.
 *
 * Ownership: the variables live in `arena`. Limits: BR_LIMIT_ENV_ENTRY_BYTES.
 */
void br_dotenv_parse(struct br_str text, struct br_arena *arena,
	struct br_vars *vars, struct br_diags *diags);
