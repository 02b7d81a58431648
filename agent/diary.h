/* SPDX-License-Identifier: MIT */
/* diary.h - what the agent itself has to say, as lines of key=value on stderr. */
#pragma once

#include "base/attr.h"

/*
 * Write a line: the time, `event`, and pairs of a key and a text, up to a NULL. A text
 * with blanks or signs is quoted; an empty or NULL one is left out with its key.
 */
void diary(const char *event, ...) __attribute__((sentinel));
