/* SPDX-License-Identifier: MIT */
#include "view/view.h"

#include <sys/stat.h>

#include "base/file.h"
#include "view/private.h"

bool br_view_write_out(int fd, struct br_buf *text, struct br_err *err)
{
	bool is_written = br_file_write(fd, br_buf_text(text), text->len, err);

	br_buf_clear(text);
	return is_written || br_fail_errno(err, "write to stdout");
}

bool br_view_is_one_file(const struct br_view_options *options)
{
	struct stat out = { 0 };
	struct stat err = { 0 };

	return fstat(options->out_fd, &out) == 0 &&
		fstat(options->err_fd, &err) == 0 && out.st_dev == err.st_dev &&
		out.st_ino == err.st_ino;
}

bool br_view_write_err(const struct br_view_options *options,
	struct br_buf *text, struct br_err *err)
{
	struct br_err failure = { 0 };

	if (br_view_write_out(options->err_fd, text, &failure) ||
		!br_view_is_one_file(options))
		return true;
	*err = failure;
	return false;
}

void br_view_hide(struct br_sink *view)
{
	struct br_view *self = (struct br_view *)view;

	if (self && self->hide)
		self->hide(self);
}

void br_view_pause(struct br_sink *view, bool is_paused)
{
	struct br_view *self = (struct br_view *)view;

	if (self && self->pause)
		self->pause(self, is_paused);
}

void br_view_free(struct br_sink *view)
{
	/* Every view starts with a struct br_view, and that with its sink. */
	struct br_view *self = (struct br_view *)view;

	if (self)
		self->free(self);
}
