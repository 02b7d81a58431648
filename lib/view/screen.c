/* SPDX-License-Identifier: MIT */
#include "view/screen.h"

#include <sys/ioctl.h>

#include "view/private.h"

enum {
	USUAL_COLUMNS = 80,
	USUAL_ROWS = 24,
};

/*
 * A terminal that knows of synchronized updates (2026) shows a frame as a whole; the
 * others heed none of it. Lines are not wrapped (7) while those that change are written:
 * the terminal may have become narrower since the last look.
 */
#define BEGIN_FRAME "\x1b[?2026h\x1b[?25l"
#define END_FRAME "\x1b[?25h\x1b[?2026l"
#define NO_WRAP "\x1b[?7l"
#define WRAP "\x1b[?7h"
#define SAVE_CURSOR \
	"\x1b" \
	"7"
#define RESTORE_CURSOR \
	"\x1b" \
	"8"
#define ERASE_BELOW "\x1b[J"
#define ERASE_RIGHT "\x1b[K"

void br_screen_init(struct br_screen *screen, int fd)
{
	*screen = (struct br_screen){ .fd = fd };
	(void)br_screen_look(screen);
}

void br_screen_done(struct br_screen *screen)
{
	for (size_t i = 0; i < BR_SCREEN_LINES; i++)
		br_buf_done(&screen->lines[i]);
	br_buf_done(&screen->frame);
}

bool br_screen_look(struct br_screen *screen)
{
	struct winsize size = { 0 };
	size_t columns = screen->columns;
	size_t rows = screen->rows;

	(void)ioctl(screen->fd, TIOCGWINSZ, &size);
	screen->columns = size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
	screen->rows = size.ws_row > 0 ? size.ws_row : USUAL_ROWS;
	screen->has_new_size =
		screen->columns != columns || screen->rows != rows;
	return screen->has_new_size;
}

/* Go back to the beginning of the first line. */
static void go_up(struct br_buf *frame, size_t count)
{
	if (count > 0)
		br_buf_addf(frame, "\x1b[%zuA", count);
	br_buf_add_char(frame, '\r');
}

static void keep(struct br_screen *screen, const struct br_screen_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		br_buf_clear(&screen->lines[i]);
		br_buf_add(&screen->lines[i], lines->items[i].data,
			lines->items[i].len);
	}
	screen->line_count = lines->count;
}

static void add_lines(struct br_buf *frame, const struct br_screen_lines *lines)
{
	if (lines->count == 0)
		return;
	br_buf_add_text(frame, NO_WRAP);
	for (size_t i = 0; i < lines->count; i++) {
		if (i > 0)
			br_buf_add_text(frame, "\r\n");
		br_buf_add(frame, lines->items[i].data, lines->items[i].len);
		br_buf_add_text(frame, ERASE_RIGHT);
	}
	br_buf_add_text(frame, WRAP);
}

/* All of it: the text, and every line anew. */
static void add_whole(struct br_screen *screen, const struct br_buf *text,
	const struct br_screen_lines *lines)
{
	struct br_buf *frame = &screen->frame;

	br_buf_add_char(frame, '\r');
	/* A terminal may remember of what it wrapped that it goes on below. */
	if ((text->len > 0 || screen->has_new_size) && screen->line_count > 0)
		br_buf_add_text(frame, ERASE_BELOW);
	br_buf_add(frame, text->data, text->len);
	add_lines(frame, lines);
	if (text->len == 0)
		br_buf_add_text(frame, ERASE_BELOW);
	if (lines->count > 0)
		go_up(frame, lines->count - 1);
}

static bool is_same(const struct br_buf *a, const struct br_buf *b)
{
	return br_str_equal(br_buf_str(a), br_buf_str(b));
}

/*
 * Only the lines that differ. Says whether there are any. Nothing scrolls here, so the
 * terminal can remember where the cursor was: on one that has just become lower, going up
 * as far as down would be too far.
 */
static bool add_changes(
	struct br_screen *screen, const struct br_screen_lines *lines)
{
	struct br_buf *frame = &screen->frame;
	size_t at = 0;
	bool has_changes = false;

	br_buf_add_text(frame, SAVE_CURSOR);
	for (size_t i = 0; i < lines->count; i++) {
		if (is_same(&lines->items[i], &screen->lines[i]))
			continue;
		if (i > at)
			br_buf_addf(frame, "\x1b[%zuB", i - at);
		at = i;
		has_changes = true;
		br_buf_add_text(frame, "\r" NO_WRAP);
		br_buf_add(frame, lines->items[i].data, lines->items[i].len);
		br_buf_add_text(frame, ERASE_RIGHT WRAP);
	}
	br_buf_add_text(frame, RESTORE_CURSOR);
	return has_changes;
}

bool br_screen_show(struct br_screen *screen, struct br_buf *text,
	const struct br_screen_lines *lines, bool is_whole, struct br_err *err)
{
	bool has_frame =
		text->len > 0 || is_whole || lines->count != screen->line_count;

	if (!has_frame && lines->count == 0)
		return true;
	if (lines->count == 0 && screen->line_count == 0)
		return br_view_write_out(screen->fd, text, err);
	br_buf_clear(&screen->frame);
	br_buf_add_text(&screen->frame, BEGIN_FRAME);
	if (has_frame)
		add_whole(screen, text, lines);
	else if (!add_changes(screen, lines))
		return true;
	br_buf_add_text(&screen->frame, END_FRAME);
	keep(screen, lines);
	br_buf_clear(text);
	return br_view_write_out(screen->fd, &screen->frame, err);
}
