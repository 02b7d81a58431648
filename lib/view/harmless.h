/* SPDX-License-Identifier: MIT */
/*
 * harmless.h - lines of output as a terminal shows them, without what else they
 * would do to it.
 *
 * Escape sequences are left out but for colours, which end with the line; bytes that
 * are no UTF-8 become `?`, other control characters `^A` and the like. A line that was
 * overwritten from its beginning (progress that goes back by CR) is what stood there last.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Add a line, which is without its newline. Without `has_color` no colours either. */
void br_harmless_add_line(
	struct br_buf *text, struct br_str line, bool has_color);
