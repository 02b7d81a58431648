/* SPDX-License-Identifier: MIT */
/*
 * complete.h - what can stand at the end of a command line that is being typed.
 *
 * The scripts in cmd/completion call `buildr __complete WORD...`, with the words up to the
 * cursor as they were typed, and without the program's name; the last one is the word to
 * complete, which may be empty. The answer says on its first line what is wanted: `words`, which then
 * follow, one a line, each with a tab and what it means where that is known; `files` or
 * `folders`, which the shell knows better. Whatever is wrong, the answer is shorter for it,
 * and nothing is said: it would be printed into the line.
 */
#pragma once

#include "base/buf.h"

#define COMPLETE_COMMAND "__complete"

/* Complete `words`, NULL-terminated. Gives the exit status. */
int complete_words(char *const *words);

/* The same, with the answer added to `text`. */
void complete_answer(char *const *words, struct br_buf *text);
