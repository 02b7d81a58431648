/* SPDX-License-Identifier: MIT */
/*
 * buf.h - bytes that grow at the end and are taken from the front.
 *
 * `data` always ends in a NUL that does not count, so that a buffer of text is
 * a string too; before the first byte it is NULL.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

/* Starts out all zero. Read the members; change them through functions. */
struct br_buf {
	char *data;
	size_t len;
	size_t capacity;
};

/* Free the bytes. `buf` is empty and may be used again. */
void br_buf_done(struct br_buf *buf);

/* Forget the bytes but keep the memory. */
void br_buf_clear(struct br_buf *buf);

/* Add `len` bytes. */
void br_buf_add(struct br_buf *buf, const void *data, size_t len);

/* Add one byte. */
void br_buf_add_char(struct br_buf *buf, char c);

/* Add a string. */
void br_buf_add_text(struct br_buf *buf, const char *text);

/* Add formatted text. */
void br_buf_addf(struct br_buf *buf, const char *fmt, ...) BR_PRINTF(2, 3);

/*
 * Make room for `len` more bytes and give the place to write them to; say how
 * many were written with br_buf_grew().
 *
 * Ownership: the buffer's; good until its next change.
 */
char *br_buf_room(struct br_buf *buf, size_t len) BR_NONNULL_RESULT;

/* Count `len` bytes that were written into br_buf_room() as content. */
void br_buf_grew(struct br_buf *buf, size_t len);

/* Drop `len` bytes from the front; there must be as many. */
void br_buf_drop(struct br_buf *buf, size_t len);

/* View the bytes. Borrowed until the next change of `buf`. */
struct br_str br_buf_str(const struct br_buf *buf);

/* View the text: "" where there is none. Borrowed until the next change. */
const char *br_buf_text(const struct br_buf *buf) BR_NONNULL_RESULT;

/*
 * Give the text away and leave `buf` empty.
 *
 * Ownership: the caller frees it with free(). Never NULL.
 */
char *br_buf_take(struct br_buf *buf) BR_NONNULL_RESULT;

static inline void br_clean_buf(struct br_buf *buf)
{
	br_buf_done(buf);
}

/* `br_autobuf struct br_buf buf = { 0 };` is freed at the end of its scope. */
#define br_autobuf __attribute__((cleanup(br_clean_buf)))
