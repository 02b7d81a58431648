/* SPDX-License-Identifier: MIT */
#include "log/builds.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/parse.h"
#include "base/suggest.h"
#include "event/json.h"
#include "log/folder.h"
#include "log/lines.h"

enum {
	/* Mostly both the first and the last lines are within this. */
	LOOK_BYTES = 16 * 1024,
	/* Lines at the start and the end that are looked at. */
	LOOK_LINES = 4,
	/* Of builds that a start may mean, so many are named. */
	NAMED_BUILDS = 8,
};

/* The header and build.started, if they are there. */
static void read_start(
	int fd, struct br_arena *arena, struct br_log_build *build)
{
	struct br_log_lines lines = { .fd = fd };
	struct br_str line;
	bool is_started = false;

	for (int i = 0; i < LOOK_LINES && !is_started &&
		br_log_lines_next(&lines, &line);
		i++) {
		struct br_event event = { 0 };
		struct br_err unreadable = { 0 };

		if (i == 0 && br_log_header_parse(line, arena, &build->header))
			continue;
		is_started = br_event_parse(line, arena, &event, &unreadable);
		if (!is_started)
			continue;
		build->started_us = event.wall_us;
		if (event.type == BR_EVENT_BUILD_STARTED)
			build->project = event.build_started.project;
	}
	lines.fd = -1;
	br_log_lines_done(&lines);
}

/* Read the last `len` bytes of a file of `size`. */
static void load_end(int fd, off_t size, size_t len, struct br_buf *text)
{
	br_buf_clear(text);
	while (text->len < len) {
		ssize_t n = pread(fd, br_buf_room(text, len - text->len),
			len - text->len, size - (off_t)(len - text->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		br_buf_grew(text, (size_t)n);
	}
}

static void note_last(struct br_log_build *build, const struct br_event *event)
{
	int64_t passed_us = event->wall_us - build->started_us;

	build->seconds = passed_us > 0 ? (double)passed_us / 1e6 : 0;
	if (event->type != BR_EVENT_BUILD_FINISHED)
		return;
	build->state = BR_LOG_FINISHED;
	build->result = event->build_finished.result;
	build->exit = event->build_finished.exit;
	build->seconds = event->build_finished.seconds;
}

/* Gives true where the last event is within `text`, the end of a log. */
static bool find_last(struct br_str text, struct br_log_build *build)
{
	const char *end =
		text.len > 0 ? memrchr(text.data, '\n', text.len) : NULL;

	for (int i = 0; i < LOOK_LINES && end; i++) {
		size_t left = (size_t)(end - text.data);
		const char *before = memrchr(text.data, '\n', left);
		const char *start = before ? before + 1 : text.data;
		struct br_arena arena = { 0 };
		struct br_event event = { 0 };
		struct br_err unreadable = { 0 };
		bool is_event = br_event_parse(
			(struct br_str){ start, (size_t)(end - start) }, &arena,
			&event, &unreadable);

		if (is_event)
			note_last(build, &event);
		br_arena_done(&arena);
		if (is_event)
			return true;
		end = before;
	}
	return false;
}

/* The line may be long: that of a build with 10,000 stages is 300 KB. */
static void read_end(int fd, struct br_log_build *build)
{
	br_autobuf struct br_buf text = { 0 };
	off_t size = lseek(fd, 0, SEEK_END);
	size_t len = LOOK_BYTES;

	while (size > 0) {
		bool is_all = (off_t)len >= size;

		load_end(fd, size, is_all ? (size_t)size : len, &text);
		if (find_last(br_buf_str(&text), build) || is_all ||
			len > BR_LIMIT_EVENT_BYTES)
			return;
		len *= 8;
	}
}

/* Gives false where it cannot be read. */
static bool read_build(const char *folder, const struct br_log_file *file,
	struct br_arena *arena, struct br_log_build *build)
{
	br_autofree char *path =
		br_log_path(folder, file->build, BR_LOG_SUFFIX);
	br_autoclose int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return false;
	memcpy(build->build, file->build, sizeof(build->build));
	build->size_bytes = file->size_bytes;
	build->started_us = file->begun_ms * 1000;
	/* In this order: what ends in between has ended. */
	build->state =
		br_log_is_locked(fd) ? BR_LOG_RUNNING : BR_LOG_UNFINISHED;
	read_start(fd, arena, build);
	read_end(fd, build);
	return true;
}

static size_t count_equal(const char *a, const char *b)
{
	size_t count = 0;

	while (a[count] != '\0' && a[count] == b[count])
		count++;
	return count;
}

/* One more than any two have in common. */
static size_t find_id_chars(const struct br_log_builds *builds)
{
	size_t chars = BR_LOG_ID_CHARS;

	for (size_t i = 0; i < builds->count; i++)
		for (size_t k = 0; k < i; k++) {
			size_t equal = count_equal(
				builds->items[i].build, builds->items[k].build);

			if (equal >= chars)
				chars = equal + 1;
		}
	/* A dash at the end tells nothing apart. */
	if (builds->count > 0 && builds->items[0].build[chars - 1] == '-')
		chars++;
	return chars;
}

bool br_log_builds_load(
	const char *folder, struct br_log_builds *builds, struct br_err *err)
{
	struct br_log_builds loaded = { .id_chars = BR_LOG_ID_CHARS };
	struct br_log_files files = { 0 };

	if (!br_log_files_load(folder, &files) && errno != ENOENT)
		return br_fail_errno(err, "read folder '%s'", folder);
	loaded.items = br_arena_array(
		&loaded.arena, files.count, sizeof(*loaded.items));
	for (size_t i = 0; i < files.count; i++) {
		struct br_log_build *build = &loaded.items[loaded.count];

		if (read_build(folder, &files.items[i], &loaded.arena, build))
			build->number = ++loaded.count;
		else
			loaded.shut_count++;
	}
	br_log_files_done(&files);
	loaded.id_chars = find_id_chars(&loaded);
	*builds = loaded;
	return true;
}

void br_log_builds_done(struct br_log_builds *builds)
{
	br_arena_done(&builds->arena);
	*builds = (struct br_log_builds){ 0 };
}

static bool find_number(const struct br_log_builds *builds, const char *name,
	const struct br_log_build **build, struct br_err *err)
{
	struct br_err not_one = { 0 };
	int64_t number = 0;

	if (!br_parse_int(name + 1, 1, INT32_MAX, &number, &not_one))
		return br_fail(err, BR_EINPUT,
			"build '%s': @1 is the newest, @2 the one before it, "
			"and so on",
			name);
	if ((size_t)number > builds->count)
		return br_fail(err, BR_ENOTFOUND,
			"there is no build '%s': there %s %zu", name,
			builds->count == 1 ? "is" : "are", builds->count);
	*build = &builds->items[number - 1];
	return true;
}

static bool starts_with(const char *build, const char *name)
{
	size_t i = 0;

	while (name[i] != '\0' && tolower((unsigned char)name[i]) == build[i])
		i++;
	return name[i] == '\0';
}

static bool fail_of_several(const struct br_log_builds *builds,
	const char *name, struct br_err *err)
{
	br_autobuf struct br_buf list = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < builds->count; i++) {
		if (!starts_with(builds->items[i].build, name))
			continue;
		if (count++ < NAMED_BUILDS)
			br_buf_addf(&list, "%s%.*s (@%zu)",
				count > 1 ? ", " : "", (int)builds->id_chars,
				builds->items[i].build,
				builds->items[i].number);
	}
	return br_fail(err, BR_EINPUT, "'%s' may mean %zu builds: %s%s", name,
		count, br_buf_text(&list), count > NAMED_BUILDS ? ", …" : "");
}

static bool fail_of_none(const struct br_log_builds *builds, const char *name,
	struct br_err *err)
{
	br_autofree const char **known =
		br_alloc_array(builds->count, sizeof(*known));
	struct br_arena arena = { 0 };
	int len = (int)strlen(name);

	/* As much of each as was typed. */
	for (size_t i = 0; i < builds->count; i++)
		known[i] = br_arena_format(
			&arena, "%.*s", len, builds->items[i].build);

	const char *near = br_suggest_find(name, known, builds->count);

	if (near)
		br_fail(err, BR_ENOTFOUND,
			"there is no build '%s': did you mean '%s'?", name,
			near);
	else
		br_fail(err, BR_ENOTFOUND,
			"there is no build '%s': it is named by the start of "
			"its id, or @1 for the newest; 'buildr log' lists them",
			name);
	br_arena_done(&arena);
	return false;
}

bool br_log_builds_find(const struct br_log_builds *builds, const char *name,
	const struct br_log_build **build, struct br_err *err)
{
	const struct br_log_build *found = NULL;

	if (name[0] == '@')
		return find_number(builds, name, build, err);
	for (size_t i = 0; i < builds->count && name[0] != '\0'; i++) {
		if (!starts_with(builds->items[i].build, name))
			continue;
		if (found)
			return fail_of_several(builds, name, err);
		found = &builds->items[i];
	}
	if (!found)
		return fail_of_none(builds, name, err);
	*build = found;
	return true;
}

/* Of a log in `folder` whose build starts with `name`, or NULL. */
static char *find_project(const char *folder, const char *name)
{
	struct br_log_files files = { 0 };
	char *project = NULL;

	(void)br_log_files_load(folder, &files);
	for (size_t i = 0; i < files.count && !project; i++) {
		struct br_arena arena = { 0 };
		struct br_log_build build = { 0 };

		if (starts_with(files.items[i].build, name) &&
			read_build(folder, &files.items[i], &arena, &build) &&
			build.project)
			project = br_strdup(build.project);
		br_arena_done(&arena);
	}
	br_log_files_done(&files);
	return project;
}

char *br_log_builds_elsewhere(const char *folder, const char *name)
{
	br_autofree char *above = br_strdup(folder);
	char *slash = strrchr(above, '/');
	char *project = NULL;
	DIR *dir;

	if (!slash || strlen(name) < BR_LOG_ID_CHARS)
		return NULL;
	*slash = '\0';
	dir = opendir(above);
	if (!dir)
		return NULL;
	for (struct dirent *entry = readdir(dir); entry && !project;
		entry = readdir(dir)) {
		br_autofree char *other = br_path_join(above, entry->d_name);

		if (entry->d_name[0] != '.')
			project = find_project(other, name);
	}
	(void)closedir(dir);
	return project;
}
