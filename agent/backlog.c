/* SPDX-License-Identifier: MIT */
#include "agent/backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"

enum {
	/* An event is at most 4 MiB; most are a few hundred bytes. */
	READ_BYTES = 256 * 1024,
	FILE_MODE = 0600,
};

/* Disk is given back in pieces of this, not for each line. */
#define PUNCH_BYTES (INT64_C(8) << 20)

bool backlog_open(
	const char *folder, struct backlog *backlog, struct br_err *err)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return br_fail_errno(err, "make a file in '%s'", folder);
	*backlog = (struct backlog){ .fd = fd };
	return true;
}

void backlog_close(struct backlog *backlog)
{
	if (backlog->fd >= 0)
		(void)close(br_take_fd(&backlog->fd));
	br_buf_done(&backlog->window);
}

bool backlog_is_full(const struct backlog *backlog)
{
	return backlog->end - backlog->confirmed >= BACKLOG_MAX_BYTES;
}

bool backlog_add(struct backlog *backlog, const void *data, size_t len,
	struct br_err *err)
{
	const char *at = data;
	const char *last = memrchr(data, '\n', len);
	int64_t lines_end =
		last ? backlog->end + (last - at) + 1 : backlog->lines_end;

	while (len > 0) {
		ssize_t n = pwrite(backlog->fd, at, len, backlog->end);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return br_fail_errno(err, "keep events on the disk");
		at += n;
		len -= (size_t)n;
		backlog->end += n;
	}
	backlog->lines_end = lines_end;
	return true;
}

void backlog_cut(struct backlog *backlog)
{
	backlog->end = backlog->lines_end;
}

/* Where the window holds the next line; NULL: it does not hold all of it. */
static const char *find_line(const struct backlog *backlog, size_t *len)
{
	size_t skipped = (size_t)(backlog->next - backlog->window_start);
	const char *at = br_buf_text(&backlog->window) + skipped;
	const char *end = NULL;

	if (backlog->window.len > skipped)
		end = memchr(at, '\n', backlog->window.len - skipped);
	*len = end ? (size_t)(end - at) : 0;
	return end ? at : NULL;
}

/* Read on; what was handed out is dropped first. */
static bool fill(struct backlog *backlog, bool *is_more, struct br_err *err)
{
	int64_t window_end =
		backlog->window_start + (int64_t)backlog->window.len;
	ssize_t n = 0;

	*is_more = false;
	if (window_end >= backlog->end)
		return true;
	br_buf_drop(&backlog->window,
		(size_t)(backlog->next - backlog->window_start));
	backlog->window_start = backlog->next;

	char *room = br_buf_room(&backlog->window, READ_BYTES);
	do
		n = pread(backlog->fd, room, READ_BYTES, window_end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return br_fail_errno(err, "read events from the disk");
	br_buf_grew(&backlog->window, (size_t)n);
	*is_more = n > 0;
	return true;
}

bool backlog_peek(struct backlog *backlog, struct br_str *line, int64_t *end,
	struct br_err *err)
{
	bool is_more = true;
	size_t len = 0;
	const char *at = find_line(backlog, &len);

	while (!at && is_more) {
		if (!fill(backlog, &is_more, err))
			return false;
		at = find_line(backlog, &len);
	}
	if (!at)
		return false;
	*line = (struct br_str){ .data = at, .len = len };
	*end = backlog->next + (int64_t)len + 1;
	return true;
}

void backlog_take(struct backlog *backlog, int64_t end)
{
	backlog->next = end;
}

void backlog_confirm(struct backlog *backlog, int64_t end)
{
	int64_t before = backlog->confirmed / PUNCH_BYTES;
	int64_t now = end / PUNCH_BYTES;

	if (end <= backlog->confirmed)
		return;
	backlog->confirmed = end;
	/* Where a file system cannot, the disk is freed at the end. */
	if (now > before)
		(void)!fallocate(backlog->fd,
			FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			before * PUNCH_BYTES, (now - before) * PUNCH_BYTES);
}

void backlog_rewind(struct backlog *backlog)
{
	backlog->next = backlog->confirmed;
	backlog->window_start = backlog->confirmed;
	br_buf_clear(&backlog->window);
}

bool backlog_is_done(const struct backlog *backlog)
{
	return backlog->confirmed == backlog->end;
}
