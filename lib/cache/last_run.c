/* SPDX-License-Identifier: MIT */
#include "cache/last_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/parse.h"
#include "cache/file_facts.h"
#include "cache/history_private.h"
#include "cache/store_private.h"

static const char head[] = "buildr-run 1";

static const char *const result_names[] = {
	[BR_LAST_RUN_NO_RESULT] = "none",
	[BR_LAST_RUN_STORED] = "stored",
	[BR_LAST_RUN_REFUSED] = "refused",
};

enum { RESULTS = sizeof(result_names) / sizeof(result_names[0]) };

void br_last_run_add(void *ctx, const struct br_difference *difference)
{
	struct br_last_run *last_run = ctx;
	struct br_buf *lines = &last_run->differences;

	br_buf_addf(lines, "%s ", br_difference_kind_name(difference->kind));
	br_buf_add(
		lines, difference->ingredient.data, difference->ingredient.len);
	br_buf_add_char(lines, ' ');
	br_buf_add(lines, difference->name.data, difference->name.len);
	br_buf_add_char(lines, '\n');
}

void br_last_run_each(
	const struct br_last_run *last_run, br_difference_fn *fn, void *ctx)
{
	struct br_str rest = br_buf_str(&last_run->differences);
	struct br_str line;

	while (br_record_take(&rest, '\n', &line)) {
		struct br_difference difference = { 0 };
		struct br_str kind;

		if (!br_record_take(&line, ' ', &kind) ||
			!br_record_take(&line, ' ', &difference.ingredient) ||
			!br_difference_kind_find(kind, &difference.kind))
			continue;
		difference.name = line;
		fn(ctx, &difference);
	}
}

static void add_line(struct br_buf *text, const char *line)
{
	if (line)
		br_record_escape(line, text);
	br_buf_add_char(text, '\n');
}

bool br_last_run_save(struct br_store *store, const char *project_dir,
	const char *stage, const struct br_last_run *last_run,
	struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	char path[BR_HISTORY_PATH_BYTES];

	br_buf_addf(&text, "%s\n%lld\n%s\n", head,
		(long long)last_run->since_ns, result_names[last_run->result]);
	add_line(&text, last_run->refusal);
	add_line(&text, last_run->cause);
	br_buf_add(
		&text, last_run->differences.data, last_run->differences.len);
	br_history_path(project_dir, stage, BR_HISTORY_RUN, path);
	return br_history_write(store, path, br_buf_str(&text), err) ||
		br_wrap(err, "remember why stage '%s' ran", stage);
}

static bool parse_result(const char *name, enum br_last_run_result *result)
{
	for (size_t i = 0; i < RESULTS; i++)
		if (strcmp(name, result_names[i]) == 0) {
			*result = (enum br_last_run_result)i;
			return true;
		}
	return false;
}

/* An empty line is nothing to say. */
static char *take_text(struct br_buf *text, bool *is_whole)
{
	char *line = br_history_take_line(text);

	*is_whole = *is_whole && line;
	if (line && line[0] == '\0') {
		free(line);
		line = NULL;
	}
	return line;
}

static bool parse(struct br_buf *text, struct br_last_run *last_run)
{
	br_autofree char *first = br_history_take_line(text);
	br_autofree char *since = br_history_take_line(text);
	br_autofree char *result = br_history_take_line(text);
	struct br_err ignored = { 0 };
	bool is_whole = true;

	last_run->refusal = take_text(text, &is_whole);
	last_run->cause = take_text(text, &is_whole);
	br_buf_add(&last_run->differences, text->data, text->len);
	return is_whole && strcmp(first, head) == 0 &&
		br_parse_int(
			since, 0, INT64_MAX, &last_run->since_ns, &ignored) &&
		parse_result(result, &last_run->result);
}

bool br_last_run_load(const struct br_store *store, const char *project_dir,
	const char *stage, struct br_last_run *last_run)
{
	br_autolastrun struct br_last_run read = { 0 };
	br_autobuf struct br_buf text = { 0 };
	char path[BR_HISTORY_PATH_BYTES];
	struct stat status;
	struct br_err ignored = { 0 };

	br_history_path(project_dir, stage, BR_HISTORY_RUN, path);
	br_autofree char *whole = br_path_join(store->folder, path);
	if (fstatat(store->fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		!br_file_load(whole, BR_LIMIT_RESULT_BYTES, &text, &ignored) ||
		!parse(&text, &read))
		return false;
	read.written_ns = br_file_facts_of(&status).mtime_ns;
	*last_run = read;
	read = (struct br_last_run){ 0 };
	return true;
}

void br_last_run_done(struct br_last_run *last_run)
{
	free(last_run->refusal);
	free(last_run->cause);
	br_buf_done(&last_run->differences);
	*last_run = (struct br_last_run){ 0 };
}
