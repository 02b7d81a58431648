/* SPDX-License-Identifier: MIT */
/*
 * dotenv.h - files of NAME=VALUE lines.
 *
 * `export NAME=VALUE` and `#` lines are allowed, `'...'` is literal, `"..."`
 * knows \n, \" and \\, both may span lines, and nothing is expanded. A value
 * without quotes goes to the end of the line, without blanks at either end.
 */
#pragma once

#include "base/arena.h"
#include "manifest/diag.h"
#include "manifest/manifest.h"

/*
 * Read dotenv text; mistakes go to `diags`, which the caller has started.
 *
 * Ownership: the variables live in `arena`. Limits: BR_LIMIT_ENV_ENTRY_BYTES.
 */
void br_dotenv_parse(struct br_str text, struct br_arena *arena,
	struct br_vars *vars, struct br_diags *diags);
