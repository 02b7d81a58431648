/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void br_buf_done(struct br_buf *buf)
{
	free(buf->data);
	*buf = (struct br_buf){ 0 };
}

void br_buf_clear(struct br_buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

char *br_buf_room(struct br_buf *buf, size_t len)
{
	size_t wanted = buf->len + len + 1;

	if (wanted > buf->capacity) {
		size_t doubled = buf->capacity * 2;
		size_t capacity = wanted > doubled ? wanted : doubled;

		buf->data = br_realloc_array(buf->data, capacity, 1);
		buf->capacity = capacity;
	}
	/* Also where nothing is written into the room, it is a string. */
	buf->data[buf->len] = '\0';
	return buf->data + buf->len;
}

void br_buf_grew(struct br_buf *buf, size_t len)
{
	assert(buf->len + len < buf->capacity);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void br_buf_add(struct br_buf *buf, const void *data, size_t len)
{
	char *room = br_buf_room(buf, len);

	if (len > 0)
		memcpy(room, data, len);
	br_buf_grew(buf, len);
}

void br_buf_add_char(struct br_buf *buf, char c)
{
	br_buf_add(buf, &c, 1);
}

void br_buf_add_text(struct br_buf *buf, const char *text)
{
	br_buf_add(buf, text, strlen(text));
}

void br_buf_addf(struct br_buf *buf, const char *fmt, ...)
{
	va_list args;
	va_list again;

	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len > 0) {
		char *room = br_buf_room(buf, (size_t)len);

		(void)vsnprintf(room, (size_t)len + 1, fmt, again);
		br_buf_grew(buf, (size_t)len);
	}
	va_end(again);
}

void br_buf_drop(struct br_buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
	buf->data[buf->len] = '\0';
}

struct br_str br_buf_str(const struct br_buf *buf)
{
	return (struct br_str){ .data = br_buf_text(buf), .len = buf->len };
}

const char *br_buf_text(const struct br_buf *buf)
{
	return buf->data ? buf->data : "";
}

char *br_buf_take(struct br_buf *buf)
{
	char *text = buf->data ? buf->data : br_strdup("");

	*buf = (struct br_buf){ 0 };
	return text;
}
