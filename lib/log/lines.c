/* SPDX-License-Identifier: MIT */
#include "log/lines.h"

#include <errno.h>
#include <unistd.h>

#include "base/limits.h"

/* The first line is to be there soon, and the rest fast. */
enum { READ_BYTES = 256 * 1024 };

void br_log_lines_done(struct br_log_lines *lines)
{
	if (lines->fd >= 0)
		(void)close(lines->fd);
	br_buf_done(&lines->text);
	*lines = (struct br_log_lines){ .fd = -1 };
}

/* Read more behind what there is. Gives false where there is no more now. */
static bool read_more(struct br_log_lines *lines)
{
	ssize_t n;

	br_buf_drop(&lines->text, lines->start);
	lines->searched -= lines->start;
	lines->start = 0;
	do
		n = read(lines->fd, br_buf_room(&lines->text, READ_BYTES),
			READ_BYTES);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	br_buf_grew(&lines->text, (size_t)n);
	return true;
}

/* Find the newline that ends the next line, or NULL. */
static const char *find_end(struct br_log_lines *lines)
{
	size_t left = lines->text.len - lines->searched;
	const char *end = left > 0
		? memchr(lines->text.data + lines->searched, '\n', left)
		: NULL;

	lines->searched =
		end ? (size_t)(end - lines->text.data) + 1 : lines->text.len;
	return end;
}

/* Forget what there is of a line that is too long. */
static void skip(struct br_log_lines *lines)
{
	if (lines->text.len - lines->start <= BR_LIMIT_EVENT_BYTES)
		return;
	lines->start = lines->text.len;
	lines->is_skipping = true;
}

bool br_log_lines_next(struct br_log_lines *lines, struct br_str *line)
{
	const char *end;

	if (lines->fd < 0)
		return false;
	while ((end = find_end(lines)) == NULL) {
		skip(lines);
		if (!read_more(lines))
			return false;
	}

	const char *start = lines->text.data + lines->start;

	*line = (struct br_str){ start, (size_t)(end - start) };
	if (lines->is_skipping || line->len > BR_LIMIT_EVENT_BYTES)
		line->len = 0;
	lines->is_skipping = false;
	lines->start = lines->searched;
	return true;
}
