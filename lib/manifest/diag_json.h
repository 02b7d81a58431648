/* SPDX-License-Identifier: MIT */
/* diag_json.h - mistakes of a file as JSON, for editors and scripts. */
#pragma once

#include "base/buf.h"
#include "manifest/diag.h"

/*
 * Add one JSON object and a newline to `text`:
 *
 *	{"v":1,"file":".buildr.yml","errors":1,"diagnostics":[
 *	 {"severity":"error","line":12,"column":3,"text":"…","help":"…"}]}
 *
 * `line` and `column` are absent where no place is known, `help` where there is
 * none; `errors` counts those too that were too many to list.
 */
void br_diags_format_json(const struct br_diags *diags, struct br_buf *text);
