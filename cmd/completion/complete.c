/* SPDX-License-Identifier: MIT */
#include "cmd/completion/complete.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/init/kinds.h"
#include "cmd/options/option_rows.h"
#include "cmd/texts.h"
#include "log/folder.h"
#include "plan/graph.h"

/* The line that is being typed, as far as its words were looked at. */
struct line {
	enum command command;
	/* Behind `--`. */
	bool is_behind;
	/* Words that are no options, with the command. */
	size_t word_count;
	/* The option whose value comes next; NULL: none. */
	const struct option_row *pending;
	const char *path;
	const char *file;
};

struct answer {
	const struct line *line;
	/* What each candidate has to start with. */
	const char *typed;
	/* Stands before each: `--output=`, or "". */
	struct br_str front;
	struct br_buf *text;
};

/* Take quotes and backslashes off, which shells hand over; a quote may still be open. */
static char *unquote(struct br_arena *arena, const char *word)
{
	char *plain = br_arena_strdup(arena, word);
	char *end = plain;
	char quote = '\0';

	for (const char *at = word; *at != '\0'; at++) {
		if (*at == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else {
			if (*at == '\\' && quote != '\'' && at[1] != '\0')
				at++;
			*end++ = *at;
		}
	}
	*end = '\0';
	return plain;
}

/* The row of `--name`, which may have `=value` behind it, that the command takes. */
static const struct option_row *find_long(
	const struct line *line, const char *word)
{
	size_t len = strcspn(word + 2, "=");

	for (size_t i = 0; i < OPTION_ROWS; i++)
		if ((option_rows[i].commands & line->command) &&
			br_str_is((struct br_str){ word + 2, len },
				option_rows[i].name))
			return &option_rows[i];
	return NULL;
}

static const struct option_row *find_letter(char letter)
{
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (option_rows[i].letter == letter)
			return &option_rows[i];
	return NULL;
}

/* What else is on the line says where the project is. */
static void take_value(
	struct line *line, const struct option_row *row, const char *value)
{
	if (!strcmp(row->name, "path"))
		line->path = value;
	else if (!strcmp(row->name, "file"))
		line->file = value;
}

static void take_long(struct line *line, const char *word)
{
	const struct option_row *row = find_long(line, word);
	const char *equals = strchr(word, '=');

	if (!row || !row->value_name)
		return;
	if (equals)
		take_value(line, row, equals + 1);
	else
		line->pending = row;
}

/* `-vqC` may have its value behind it, or in the next word. */
static void take_letters(struct line *line, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct option_row *row = find_letter(*letters);

		if (!row || !row->value_name)
			continue;
		if (letters[1] != '\0')
			take_value(line, row, letters + 1);
		else
			line->pending = row;
		return;
	}
}

static void take_command(struct line *line, const char *word)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		if (strcmp(command_rows[i].name, word) == 0)
			line->command = command_rows[i].command;
}

static void take_word(struct line *line, const char *word)
{
	if (line->pending) {
		take_value(line, line->pending, word);
		line->pending = NULL;
	} else if (line->is_behind) {
		line->word_count++;
	} else if (!strcmp(word, "--")) {
		line->is_behind = true;
	} else if (br_has_prefix(word, "--")) {
		take_long(line, word);
	} else if (word[0] == '-' && word[1] != '\0') {
		take_letters(line, word + 1);
	} else {
		if (line->word_count == 0)
			take_command(line, word);
		line->word_count++;
	}
}

/* One candidate, unless something else was typed. Tabs and newlines are the answer's own. */
static void offer(struct answer *answer, const char *word, const char *meaning)
{
	const char *rest = answer->typed;

	if (strpbrk(word, "\t\n") ||
		!br_has_prefix(word, rest + answer->front.len))
		return;
	br_buf_add(answer->text, answer->front.data, answer->front.len);
	br_buf_addf(answer->text, "%s%s%s\n", word, meaning ? "\t" : "",
		meaning ? meaning : "");
}

static void offer_commands(struct answer *answer)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		offer(answer, command_rows[i].name, command_rows[i].help);
}

static void offer_options(struct answer *answer)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		br_autobuf struct br_buf name = { 0 };

		if (!(row->commands & ~row->unlisted & answer->line->command))
			continue;
		br_buf_addf(&name, "--%s", row->name);
		offer(answer, br_buf_text(&name), row->help);
	}
}

/* The manifest of the line; NULL where there is none or it has a mistake. */
static struct br_manifest *open_manifest(
	const struct line *line, struct br_diags *diags)
{
	const char *path = line->path ? line->path : getenv("BUILDR_PATH");
	const char *file = line->file ? line->file : getenv("BUILDR_FILE");
	struct br_manifest *manifest = NULL;
	struct br_err err = { 0 };

	return br_manifest_open(path, file, &manifest, diags, &err) ? manifest
								    : NULL;
}

static void offer_node(struct answer *answer, const struct br_graph_node *node)
{
	const char *name = node->stage->name;

	offer(answer, name, node->is_listed ? NULL : "not in 'stages'");
	for (size_t i = 0; node->names[0].combination && i < node->name_count;
		i++)
		offer(answer, node->names[i].text, NULL);
}

static void offer_stages(struct answer *answer)
{
	struct br_diags diags = { 0 };
	struct br_arena arena = { 0 };
	struct br_graph graph = { 0 };
	br_auto(br_manifest) struct br_manifest *manifest =
		open_manifest(answer->line, &diags);

	if (manifest) {
		br_graph_build(manifest, &arena, &diags, &graph);
		for (size_t i = 0; i < graph.count; i++)
			offer_node(answer, &graph.nodes[i]);
	}
	br_arena_done(&arena);
	br_diags_done(&diags);
}

static void offer_builds(struct answer *answer)
{
	struct br_diags diags = { 0 };
	struct br_log_files files = { 0 };
	struct br_err err = { 0 };
	br_autofree char *folder = NULL;
	br_auto(br_manifest) struct br_manifest *manifest =
		open_manifest(answer->line, &diags);

	if (manifest &&
		br_log_folder_find(manifest->project_dir, &folder, &err))
		(void)br_log_files_load(folder, &files);
	for (size_t i = 0; i < files.count; i++)
		offer(answer, files.items[i].build, NULL);
	br_log_files_done(&files);
	br_diags_done(&diags);
}

/* The value of `gc --kept`. */
static void offer_kept(struct answer *answer)
{
	offer(answer, "all", "all builds that have ended");
	offer_builds(answer);
}

static const char *answer_value(
	struct answer *answer, const struct option_row *row)
{
	if (!strcmp(row->value_name, "DIR"))
		return "folders";
	if (!strcmp(row->value_name, "FILE"))
		return "files";
	if (!strcmp(row->value_name, "STAGE"))
		offer_stages(answer);
	if (!strcmp(row->value_name, "BUILD"))
		offer_kept(answer);
	for (size_t i = 0; i < row->choice_count; i++)
		if (option_fits(row, &row->choices[i], answer->line->command))
			offer(answer, row->choices[i].name, NULL);
	return "words";
}

static void answer_cache(struct answer *answer)
{
	static const char *const verbs[] = { "ls", "du", "prune", "rm" };

	for (size_t i = 0; answer->line->word_count == 1 && i < 4; i++)
		offer(answer, verbs[i], NULL);
	if (answer->line->word_count > 1)
		offer_stages(answer);
}

/* What stands where no option does. */
static void answer_argument(struct answer *answer)
{
	const struct line *line = answer->line;

	if (line->word_count == 0 && !line->is_behind)
		offer_commands(answer);
	if ((line->command &
		    (COMMAND_RUN | COMMAND_PLAN | COMMAND_SHELL |
			    COMMAND_WHY)) ||
		((line->command & COMMANDS_LOG) && line->word_count > 1))
		offer_stages(answer);
	else if (line->command == COMMAND_HELP)
		offer_commands(answer);
	else if (line->command == COMMAND_COMPLETION)
		for (size_t i = 0; i < SCRIPTS; i++)
			offer(answer, scripts[i].name, NULL);
	else if (line->command == COMMAND_CACHE)
		answer_cache(answer);
	else if (line->command == COMMAND_INIT)
		for (size_t i = 0; i < KINDS; i++)
			offer(answer, kinds[i].name, kinds[i].title);
	else if ((line->command & COMMANDS_LOG) && line->word_count == 1)
		offer_builds(answer);
}

static const char *answer_word(struct answer *answer)
{
	const struct line *line = answer->line;
	const char *typed = answer->typed;
	const char *equals = strchr(typed, '=');

	if (line->pending)
		return answer_value(answer, line->pending);
	if (line->is_behind || typed[0] != '-') {
		answer_argument(answer);
		return "words";
	}
	if (!equals || !br_has_prefix(typed, "--")) {
		offer_options(answer);
		return "words";
	}

	const struct option_row *row = find_long(line, typed);
	if (!row || !row->value_name)
		return "words";
	answer->front = (struct br_str){ typed, (size_t)(equals - typed) + 1 };
	return answer_value(answer, row);
}

void complete_answer(char *const *words, struct br_buf *text)
{
	struct line line = { .command = COMMAND_RUN };
	br_autobuf struct br_buf found = { 0 };
	struct br_arena arena = { 0 };
	struct answer answer = {
		.line = &line,
		.typed = "",
		.front = br_str(""),
		.text = &found,
	};

	for (size_t i = 0; words[i]; i++) {
		const char *word = unquote(&arena, words[i]);

		if (words[i + 1])
			take_word(&line, word);
		else
			answer.typed = word;
	}
	br_buf_addf(text, "%s\n", answer_word(&answer));
	br_buf_add(text, br_buf_text(&found), found.len);
	br_arena_done(&arena);
}

int complete_words(char *const *words)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	complete_answer(words, &text);
	return br_file_write(STDOUT_FILENO, text.data, text.len, &err)
		? STATUS_PASS
		: STATUS_ENVIRONMENT;
}
