/* SPDX-License-Identifier: MIT */
/* words.h - numbers, results and foreign text as people read them. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "event/event.h"

/* Count characters, which is near enough to columns for names. */
size_t br_words_columns(const char *name);

/* Add `0.12 s`, `12.3 s`, `2 min 05 s` or `1 h 02 min`. */
void br_words_add_duration(struct br_buf *text, double seconds);

/* Add `12 kB`, `3.4 MB` or `1.2 GB`: powers of 1000. */
void br_words_add_size(struct br_buf *text, int64_t size_bytes);

/*
 * Add text that is not ours so that it does nothing to a terminal: a control
 * character becomes `^[` and the like, a byte that is not UTF-8 `?`. Tabs stay.
 */
void br_words_add_safe(struct br_buf *text, struct br_str foreign);

/* Add the first line of a command as above, and ` …` where there is more. */
void br_words_add_first_line(struct br_buf *text, const char *command);

/* Add `word` so that a shell takes it as one word, and as above. */
void br_words_add_quoted(struct br_buf *text, const char *word);

/* Add `exit status 137: killed (SIGKILL)`, or without words if it has none. */
void br_words_add_status(struct br_buf *text, int64_t status);

/* Give `passed`, `failed`, `cancelled` and so on. Static. */
const char *br_words_of_result(enum br_result result);

/* Give why a stage was skipped as half a sentence. Static. */
const char *br_words_of_skip(enum br_reason reason);
