/* SPDX-License-Identifier: MIT */
/*
 * encoding.h - is this text that a YAML parser takes as the user sees it?
 *
 * libyaml follows YAML 1.1, for which also a lone CR, U+0085, U+2028 and U+2029
 * end a line: line numbers would be others than an editor's, and steps would not
 * reach the shell byte for byte. So they are refused, with what YAML forbids.
 */
#pragma once

#include <stdbool.h>

#include "manifest/diag.h"

/*
 * Say whether `text`, without a byte order mark, is UTF-8 of characters that a
 * manifest may have. The first that is not goes to `diags`.
 */
bool br_encoding_check(struct br_str text, struct br_diags *diags);
