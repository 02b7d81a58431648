/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "event/json.h"
#include "log/folder.h"

struct log {
	struct br_sink sink;
	int fd;
	size_t lost;
	/* Kept for its memory. */
	struct br_buf line;
};

/* At once, so that what has happened is there whatever becomes of buildr. */
static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct log *log = (struct log *)self;
	struct br_err failure = { 0 };

	(void)err;
	if (event->type == BR_EVENT_OUTPUT)
		return true;
	if (log->lost == 0) {
		br_buf_clear(&log->line);
		br_event_format(event, &log->line);
	}
	if (log->lost > 0 ||
		!br_file_write(log->fd, br_buf_text(&log->line), log->line.len,
			&failure))
		log->lost++;
	return true;
}

static bool open_file(
	const char *folder, const char *build, int *fd, struct br_err *err)
{
	br_autofree char *path = br_path_join(folder, build);
	br_autobuf struct br_buf name = { 0 };

	br_buf_addf(&name, "%s%s", path, BR_LOG_SUFFIX);
	*fd = open(br_buf_text(&name),
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *fd >= 0 || br_fail_errno(err, "make '%s'", br_buf_text(&name));
}

bool br_log_open(const char *project_dir, const char *build,
	struct br_sink **log, struct br_err *err)
{
	br_autofree char *folder = NULL;
	int fd = -1;

	if (!br_log_folder_find(project_dir, &folder, err) ||
		!br_log_folder_make(folder, err) ||
		!open_file(folder, build, &fd, err))
		return false;
	br_log_folder_prune(folder, BR_LOG_KEPT);

	struct log *opened = br_alloc(sizeof(*opened));

	opened->sink.handle = handle;
	opened->fd = fd;
	*log = &opened->sink;
	return true;
}

size_t br_log_lost(const struct br_sink *log)
{
	return ((const struct log *)log)->lost;
}

void br_log_close(struct br_sink *log)
{
	struct log *self = (struct log *)log;

	if (!self)
		return;
	(void)close(self->fd);
	br_buf_done(&self->line);
	free(self);
}
