/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "event/json.h"
#include "log/folder.h"
#include "log/log.h"

/* As br_event_format() writes them. */
#define FINISHED "\"type\":\"stage.finished\",\"stage\":\""
#define PASSED "\"result\":\"pass\",\"seconds\":"

/* Longer than any stage, and small enough for ms. */
enum { SECONDS_MAX = 1000 * 1000 * 1000 };

/* A stage that passed, as often as it is in the logs. */
struct found {
	struct br_duration duration;
	/* Counts from the newest to the oldest. */
	size_t age;
};

struct finder {
	struct br_arena *arena;
	struct found *found;
	size_t count;
	size_t capacity;
	/* Read so far, of all logs. */
	size_t read_bytes;
};

/* Give what stands behind `part`, or NULL. */
static const char *find(struct br_str line, const char *part)
{
	const char *at = memmem(line.data, line.len, part, strlen(part));

	return at ? at + strlen(part) : NULL;
}

static void add(struct finder *finder, struct br_str stage, double seconds)
{
	/* Written so that what is no number at all is refused as well. */
	if (!(seconds >= 0 && seconds < SECONDS_MAX))
		return;
	finder->found = br_grow(finder->found, finder->count, &finder->capacity,
		sizeof(*finder->found));
	finder->found[finder->count] = (struct found){
		.duration = {
			.stage = br_arena_memdup(
				finder->arena, stage.data, stage.len),
			.ms = (int64_t)(seconds * 1000 + 0.5),
		},
		.age = finder->count,
	};
	finder->count++;
}

static void parse_line(struct finder *finder, struct br_str line)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err unreadable = { 0 };

	if (br_event_parse(line, &arena, &event, &unreadable) &&
		event.type == BR_EVENT_STAGE_FINISHED &&
		event.stage_finished.result == BR_RESULT_PASS)
		add(finder, br_str(event.stage_finished.stage),
			event.stage_finished.seconds);
	br_arena_done(&arena);
}

/*
 * A line is parsed only where it holds an escape: this is read before each build,
 * and 10,000 lines as JSON take longer than all the rest of planning. A number that
 * is none is 0, and the worst that a wrong duration does is a detour.
 */
static void read_line(struct finder *finder, struct br_str line)
{
	const char *stage = find(line, FINISHED);
	const char *seconds = stage ? find(line, PASSED) : NULL;

	if (!seconds || line.data[line.len - 1] != '}')
		return;
	if (memchr(line.data, '\\', line.len)) {
		parse_line(finder, line);
		return;
	}

	size_t left = (size_t)(line.data + line.len - stage);
	const char *end = memchr(stage, '"', left);

	if (end)
		add(finder, (struct br_str){ stage, (size_t)(end - stage) },
			strtod(seconds, NULL));
}

/* From the last line to the first; a last one without a newline is half a line. */
static void read_lines(struct finder *finder, struct br_str text)
{
	const char *end = memrchr(text.data, '\n', text.len);

	while (end) {
		size_t left = (size_t)(end - text.data);
		const char *before = memrchr(text.data, '\n', left);
		const char *start = before ? before + 1 : text.data;

		read_line(finder,
			(struct br_str){ start, (size_t)(end - start) });
		end = before;
	}
}

/* Read the end of a file; what is not there any more is nothing. */
static void load_end(int fd, struct br_buf *text)
{
	struct stat status;
	off_t at = 0;

	if (fstat(fd, &status) < 0 || status.st_size <= 0)
		return;
	if (status.st_size > BR_LIMIT_LOG_BYTES)
		at = status.st_size - BR_LIMIT_LOG_BYTES;

	size_t len = (size_t)(status.st_size - at);

	while (len > 0) {
		ssize_t n = pread(fd, br_buf_room(text, len), len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		br_buf_grew(text, (size_t)n);
		at += n;
		len -= (size_t)n;
	}
}

static void read_log(
	struct finder *finder, const char *folder, const char *build)
{
	br_autofree char *path = br_log_path(folder, build, BR_LOG_SUFFIX);
	br_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	br_autobuf struct br_buf text = { 0 };

	if (fd < 0)
		return;
	load_end(fd, &text);
	finder->read_bytes += text.len;
	if (text.len > 0)
		read_lines(finder, br_buf_str(&text));
}

static int compare(const void *a, const void *b)
{
	const struct found *left = a;
	const struct found *right = b;
	int order = strcmp(left->duration.stage, right->duration.stage);

	if (order != 0)
		return order;
	return left->age < right->age ? -1 : 1;
}

/* Of each stage the newest. */
static void keep_newest(
	const struct finder *finder, struct br_durations *durations)
{
	struct found *found = finder->found;

	durations->items = br_arena_array(
		finder->arena, finder->count, sizeof(*durations->items));
	qsort(found, finder->count, sizeof(*found), compare);
	for (size_t i = 0; i < finder->count; i++)
		if (i == 0 ||
			strcmp(found[i].duration.stage,
				found[i - 1].duration.stage) != 0)
			durations->items[durations->count++] =
				found[i].duration;
}

void br_log_durations(const char *project_dir, struct br_arena *arena,
	struct br_durations *durations)
{
	br_autofree char *folder = NULL;
	struct finder finder = { .arena = arena };
	struct br_log_files files = { 0 };
	struct br_err homeless = { 0 };

	*durations = (struct br_durations){ 0 };
	if (!br_log_folder_find(project_dir, &folder, &homeless))
		return;
	(void)br_log_files_load(folder, &files);
	for (size_t i = 0; i < files.count && i < BR_LOG_DURATION_FILES &&
		finder.read_bytes < BR_LIMIT_LOGS_BYTES;
		i++)
		read_log(&finder, folder, files.items[i].build);
	br_log_files_done(&files);
	if (finder.count > 0)
		keep_newest(&finder, durations);
	free(finder.found);
}
