/* SPDX-License-Identifier: MIT */
/* quote.h - words as a shell would take them back. */
#pragma once

#include "base/buf.h"

/* Add `word`, within single quotes where a shell would change it otherwise. */
void br_quote_word(const char *word, struct br_buf *text);

/*
 * Add the words of a command, NULL-terminated, with blanks between them. A
 * program whose name has a `=` is quoted, so that it is no assignment.
 */
void br_quote_argv(const char *const *argv, struct br_buf *text);
