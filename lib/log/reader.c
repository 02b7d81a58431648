/* SPDX-License-Identifier: MIT */
#include "log/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "event/json.h"
#include "log/folder.h"
#include "log/lines.h"

/* One of the two files, and the event of it that comes next. */
struct source {
	struct br_log_lines lines;
	bool has_event;
	struct br_event event;
	/* Holds the event. */
	struct br_arena arena;
};

struct br_log_reader {
	char build[BR_UUID_TEXT_BYTES];
	struct source events;
	struct source output;
	/* Whose event was given last; it is forgotten with the next call. */
	struct source *given;
	struct br_arena arena;
	struct br_log_header header;
	bool has_begun;
	size_t unreadable;
};

static bool open_file(const char *folder, const char *build, const char *suffix,
	int *fd, struct br_err *err)
{
	br_autofree char *path = br_log_path(folder, build, suffix);
	struct stat status;
	br_autoclose int opened =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (opened < 0 && errno == ENOENT)
		return br_fail(err, BR_ENOTFOUND, "there is no '%s'", path);
	if (opened < 0 || fstat(opened, &status) < 0)
		return br_fail_errno(err, "open '%s'", path);
	if (!S_ISREG(status.st_mode))
		return br_fail(err, BR_ESYSTEM, "open '%s': not a file", path);
	*fd = br_take_fd(&opened);
	return true;
}

bool br_log_reader_open(const char *folder, const char *build, bool has_output,
	struct br_log_reader **reader, struct br_err *err)
{
	struct br_err missing = { 0 };
	int events = -1;
	int output = -1;

	if (!open_file(folder, build, BR_LOG_SUFFIX, &events, err))
		return false;
	/* Earlier versions wrote none. */
	if (has_output &&
		!open_file(
			folder, build, BR_LOG_OUTPUT_SUFFIX, &output, &missing))
		output = -1;

	struct br_log_reader *opened = br_alloc(sizeof(*opened));

	memcpy(opened->build, build, sizeof(opened->build));
	opened->events.lines.fd = events;
	opened->output.lines.fd = output;
	*reader = opened;
	return true;
}

static void forget(struct source *source)
{
	br_arena_done(&source->arena);
	source->has_event = false;
}

void br_log_reader_free(struct br_log_reader *reader)
{
	if (!reader)
		return;
	forget(&reader->events);
	forget(&reader->output);
	br_log_lines_done(&reader->events.lines);
	br_log_lines_done(&reader->output.lines);
	br_arena_done(&reader->arena);
	free(reader);
}

static bool parse(
	struct br_log_reader *reader, struct source *source, struct br_str line)
{
	struct br_err unreadable = { 0 };

	if (line.len > 0 &&
		br_event_parse(
			line, &source->arena, &source->event, &unreadable) &&
		strcmp(source->event.build, reader->build) == 0)
		return true;
	br_arena_done(&source->arena);
	return false;
}

/* Only the first line of all may be the header. */
static bool take_header(struct br_log_reader *reader, struct br_str line)
{
	bool is_first = !reader->has_begun;

	reader->has_begun = true;
	return is_first &&
		br_log_header_parse(line, &reader->arena, &reader->header);
}

/* Have the next event of a file, if there is one. */
static void fill(struct br_log_reader *reader, struct source *source)
{
	struct br_str line;

	while (!source->has_event && br_log_lines_next(&source->lines, &line)) {
		if (source == &reader->events && take_header(reader, line))
			continue;
		source->has_event = parse(reader, source, line);
		/* The end of a line that could not be written is empty. */
		if (!source->has_event)
			reader->unreadable += line.len > 0;
	}
}

static bool is_earlier(const struct br_event *a, const struct br_event *b)
{
	if (a->attempt != b->attempt)
		return a->attempt < b->attempt;
	return a->seq < b->seq;
}

/*
 * An event is written when all before it have been. So what comes before it is in the
 * other file, if that is looked at after the event was seen.
 */
static struct source *pick(struct br_log_reader *reader)
{
	struct source *events = &reader->events;
	struct source *output = &reader->output;

	fill(reader, events);
	fill(reader, output);
	if (output->has_event)
		fill(reader, events);
	if (events->has_event && output->has_event)
		return is_earlier(&output->event, &events->event) ? output
								  : events;
	if (events->has_event)
		return events;
	return output->has_event ? output : NULL;
}

const struct br_event *br_log_reader_next(struct br_log_reader *reader)
{
	if (reader->given)
		forget(reader->given);
	reader->given = pick(reader);
	return reader->given ? &reader->given->event : NULL;
}

bool br_log_reader_is_running(const struct br_log_reader *reader)
{
	return br_log_is_locked(reader->events.lines.fd);
}

const struct br_log_header *br_log_reader_header(
	const struct br_log_reader *reader)
{
	return &reader->header;
}

size_t br_log_reader_unreadable(const struct br_log_reader *reader)
{
	return reader->unreadable;
}
