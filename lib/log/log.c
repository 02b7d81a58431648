/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "event/json.h"
#include "log/syncer.h"
#include "log/tails.h"

enum {
	/* A log's part of what all may take, and that of it which tails may take. */
	LOG_PART = 4,
	TAILS_PART = 8,
};

/* One of the two files. */
struct file {
	int fd;
	/* Written, and where it ends. */
	int64_t bytes;
	int64_t max_bytes;
	/* The last line may be half a line. */
	bool is_torn;
};

struct log {
	struct br_sink sink;
	struct file events;
	struct file output;
	/* What the syncer sees the end of; -1: there is none. */
	int syncer_fd;
	/* Of output: where it is cut, and what becomes of the rest. */
	int64_t head_bytes;
	struct br_log_tails tails;
	/* Of the notice that says so; 0: there is none. */
	uint64_t cut_seq;
	size_t lost;
	struct br_err why;
	char *folder;
	char build[BR_UUID_TEXT_BYTES];
	/* Kept for its memory. */
	struct br_buf line;
};

/* What is in front of a line that could not be written is a line of its own. */
static void write_line(struct log *log, struct file *file)
{
	struct br_err failure = { 0 };
	bool is_written = (!file->is_torn ||
				  br_file_write(file->fd, "\n", 1, &failure)) &&
		br_file_write(file->fd, br_buf_text(&log->line), log->line.len,
			&failure);

	file->is_torn = !is_written;
	if (is_written) {
		file->bytes += (int64_t)log->line.len;
		return;
	}
	if (log->lost == 0)
		log->why = failure;
	log->lost++;
}

static void write_event(
	struct log *log, struct file *file, const struct br_event *event)
{
	br_buf_clear(&log->line);
	br_event_format(event, &log->line);
	if (file->bytes + (int64_t)log->line.len <= file->max_bytes)
		write_line(log, file);
}

/* Say something in the place of an event that is left out. */
static void write_notice(
	struct log *log, const struct br_event *dropped, const char *text)
{
	struct br_event notice = *dropped;

	notice.type = BR_EVENT_NOTICE;
	notice.notice.level = BR_LEVEL_WARNING;
	notice.notice.text = text;
	write_event(log, &log->output, &notice);
}

static void say_cut(struct log *log, const struct br_event *dropped)
{
	br_autofree char *text =
		br_format("this log takes %" PRId64 " MB of output, and has "
			  "only the end of what each step writes from here on "
			  "(--log-size)",
			log->head_bytes / 1000000);

	log->cut_seq = dropped->seq;
	write_notice(log, dropped, text);
}

static void say_dropped(struct log *log, const struct br_log_tail *tail)
{
	br_autofree char *text = br_format(
		"%" PRId64 " bytes that '%s' wrote are not in this log",
		tail->dropped_bytes, tail->stage);

	write_notice(log, &tail->dropped, text);
}

/* Write what is kept of a step, or of all; NULL. */
static void write_tails(struct log *log, const char *stage)
{
	struct br_log_tail *tail;

	while ((tail = br_log_tails_take(&log->tails, stage)) != NULL) {
		if (tail->dropped_bytes > 0 &&
			tail->dropped.seq != log->cut_seq)
			say_dropped(log, tail);
		for (const struct br_log_piece *piece = tail->first; piece;
			piece = piece->next)
			write_event(log, &log->output, &piece->event);
		br_log_tail_free(tail);
	}
}

static void keep_end(struct log *log, const struct br_event *event)
{
	struct br_event dropped;

	if (br_log_tails_add(&log->tails, event, &dropped) && log->cut_seq == 0)
		say_cut(log, &dropped);
}

static void write_output(struct log *log, const struct br_event *event)
{
	struct file *file = &log->output;

	/* What is full gets no better by trying. */
	if (file->is_torn) {
		log->lost++;
		return;
	}
	if (file->bytes < log->head_bytes) {
		br_buf_clear(&log->line);
		br_event_format(event, &log->line);
		if (file->bytes + (int64_t)log->line.len <= log->head_bytes) {
			write_line(log, file);
			return;
		}
		log->head_bytes = file->bytes;
	}
	keep_end(log, event);
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct log *log = (struct log *)self;

	(void)err;
	if (event->type == BR_EVENT_OUTPUT) {
		write_output(log, event);
		return true;
	}
	/* Before it: who reads along takes what is in front of an event for whole. */
	if (event->type == BR_EVENT_STEP_FINISHED)
		write_tails(log, event->step_finished.stage);
	else if (event->type == BR_EVENT_STAGE_FINISHED)
		write_tails(log, event->stage_finished.stage);
	else if (event->type == BR_EVENT_BUILD_FINISHED)
		write_tails(log, NULL);
	write_event(log, &log->events, event);
	return true;
}

static bool open_file(const char *folder, const char *build, const char *suffix,
	struct file *file, struct br_err *err)
{
	br_autofree char *path = br_log_path(folder, build, suffix);
	struct stat status;

	/* Nothing that waits there for a reader holds us up. */
	br_autoclose int fd = open(path,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
			O_NONBLOCK,
		0600);

	if (fd < 0 || fstat(fd, &status) < 0)
		return br_fail_errno(err, "make '%s'", path);
	if (!S_ISREG(status.st_mode))
		return br_fail(err, BR_ESYSTEM, "make '%s': not a file", path);
	*file = (struct file){
		.fd = br_take_fd(&fd),
		.bytes = status.st_size,
		.max_bytes = INT64_MAX,
	};
	return true;
}

static void start_log(struct log *log, const struct br_log_options *options)
{
	const struct br_syncer_options syncer = {
		.events_fd = log->events.fd,
		.output_fd = log->output.fd,
		.folder = log->folder,
		.build = log->build,
		.limits = options->limits,
	};
	struct br_err unsynced = { 0 };
	int64_t max_bytes = options->limits.size_bytes / LOG_PART;

	br_log_lock(log->events.fd);
	/* Without it only the loss of power takes more. */
	if (!br_syncer_start(&syncer, &log->syncer_fd, &unsynced))
		log->syncer_fd = -1;
	log->output.max_bytes = max_bytes;
	log->head_bytes = max_bytes - max_bytes / TAILS_PART;
	if (log->events.bytes == 0) {
		br_log_header_format(&options->header, &log->line);
		write_line(log, &log->events);
	}
}

bool br_log_open(const struct br_log_options *options, struct br_sink **log,
	struct br_err *err)
{
	br_autofree char *folder = NULL;
	struct file events = { .fd = -1 };
	struct file output = { .fd = -1 };

	if (!br_log_folder_find(options->project_dir, &folder, err) ||
		!br_log_folder_make(folder, err) ||
		!open_file(folder, options->build, BR_LOG_SUFFIX, &events, err))
		return false;
	if (!open_file(folder, options->build, BR_LOG_OUTPUT_SUFFIX, &output,
		    err)) {
		(void)close(events.fd);
		return false;
	}

	struct log *opened = br_alloc(sizeof(*opened));

	opened->sink.handle = handle;
	opened->events = events;
	opened->output = output;
	opened->folder = br_take_ptr(&folder);
	(void)snprintf(
		opened->build, sizeof(opened->build), "%s", options->build);
	start_log(opened, options);
	br_log_folder_prune(opened->folder, &options->limits, opened->build);
	*log = &opened->sink;
	return true;
}

size_t br_log_lost(const struct br_sink *log, struct br_err *why)
{
	const struct log *self = (const struct log *)log;

	if (self->lost > 0)
		*why = self->why;
	return self->lost;
}

void br_log_close(struct br_sink *log)
{
	struct log *self = (struct log *)log;

	if (!self)
		return;
	write_tails(self, NULL);
	(void)close(self->events.fd);
	(void)close(self->output.fd);
	if (self->syncer_fd >= 0)
		(void)close(self->syncer_fd);
	br_buf_done(&self->line);
	free(self->folder);
	free(self);
}
