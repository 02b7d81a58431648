/* SPDX-License-Identifier: MIT */
#include "cmd/options/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arguments.h"
#include "base/clean.h"
#include "base/suggest.h"
#include "cache/prune.h"
#include "cmd/options/option_rows.h"
#include "cmd/options/option_sources.h"
#include "log/log.h"

static struct br_argument describe_row(size_t index)
{
	const struct option_row *row = &option_rows[index];

	return (struct br_argument){
		.name = row->name,
		.letter = row->letter,
		.has_value = row->value_name != NULL,
	};
}

static bool fail_of_unknown(const char *argument, struct br_err *err)
{
	const char *names[OPTION_ROWS];
	const char *equals = strchr(argument, '=');
	br_autofree char *typed = br_memdup(argument,
		equals ? (size_t)(equals - argument) : strlen(argument));
	const char *near = NULL;

	for (size_t i = 0; i < OPTION_ROWS; i++)
		names[i] = option_rows[i].name;
	if (br_has_prefix(typed, "--"))
		near = br_suggest_find(typed + 2, names, OPTION_ROWS);
	if (near)
		return br_fail(err, BR_EINPUT,
			"unknown option '%s': did you mean '--%s'?", typed,
			near);
	return br_fail(err, BR_EINPUT,
		"unknown option '%s': 'buildr --help' lists them", typed);
}

static bool fail_of_getopt(int result, char **argv, struct br_err *err)
{
	const char *argument = argv[optind - 1];
	char letter[] = { '-', (char)optopt, '\0' };

	if (result == ':')
		return br_fail(
			err, BR_EINPUT, "option '%s' needs a value", argument);
	if (br_has_prefix(argument, "--") && strchr(argument, '='))
		return br_fail(err, BR_EINPUT,
			"option '%s' is unknown or takes no value", argument);
	return fail_of_unknown(
		br_has_prefix(argument, "--") ? argument : letter, err);
}

/* An option as it was given, kept until the command is known. */
struct given {
	const struct option_row *row;
	const char *value;
};

static bool apply(
	const struct given *given, struct options *options, struct br_err *err)
{
	const struct option_row *row = given->row;

	if (!(row->commands & options->command))
		return br_fail(err, BR_EINPUT,
			"--%s is no option of 'buildr %s'", row->name,
			command_name(options->command));
	return option_set(row, options, given->value, err);
}

/* --help and --version, which no variable stands for. */
static bool is_question(const struct option_row *row)
{
	return !strcmp(row->name, "help") || !strcmp(row->name, "version");
}

/* What is not on the command line is weaker than what is given. */
static bool apply_all(const struct given *given, size_t count,
	struct options *options, struct br_err *err)
{
	for (size_t i = 0; i < count; i++)
		if (given[i].row->kind == OPTION_NAMES)
			option_clear(given[i].row, options);
	for (size_t i = 0; i < count; i++)
		if (!apply(&given[i], options, err))
			return false;
	return true;
}

/* The arguments, taken apart. */
struct given_all {
	struct given *options;
	size_t option_count;
	/* What is no option, before `--` and behind it. */
	const char **words;
	size_t word_count;
	/* How many of them stand before it. */
	size_t front_count;
};

/* The word at `at` is a command, and *next the place behind it, or COMMAND_RUN is meant. */
static void find_command(const struct given_all *given, size_t at,
	enum command *command, size_t *next)
{
	*command = COMMAND_RUN;
	for (size_t i = 0; given->front_count > at && i < COMMAND_ROWS; i++) {
		if (strcmp(given->words[at], command_rows[i].name) != 0)
			continue;
		*command = command_rows[i].command;
		*next = at + 1;
		return;
	}
}

/* `help` alone is the help of all. */
static bool take_help(const struct given_all *given, struct options *options,
	size_t *next, struct br_err *err)
{
	size_t begin = *next;

	options->is_help = true;
	find_command(given, begin, &options->command, next);
	if (*next == begin && given->front_count > begin)
		return br_fail(err, BR_EINPUT, "there is no command '%s'",
			given->words[begin]);
	if (options->command == COMMAND_HELP)
		options->command = COMMAND_RUN;
	return true;
}

/* Behind `--` everything is a stage, also what is called `check`. */
static bool take_command(const struct given_all *given, struct options *options,
	struct br_err *err)
{
	size_t first = 0;

	find_command(given, 0, &options->command, &first);
	if (options->command == COMMAND_HELP &&
		!take_help(given, options, &first, err))
		return false;
	options->stages = given->words + first;
	options->stage_count = given->word_count - first;
	return true;
}

static const struct option_row *find_row(const char *name)
{
	size_t i = 0;

	while (strcmp(option_rows[i].name, name) != 0)
		i++;
	return &option_rows[i];
}

static bool check_output(const struct options *options, struct br_err *err)
{
	br_autobuf struct br_buf forms = { 0 };
	unsigned commands = options->command;

	/* What `plan` prints, so in any form that it has. */
	if (options->is_dry_run)
		commands |= COMMAND_PLAN;
	if (commands & option_output_commands(options->output))
		return true;
	option_list_choices(find_row("output"), options->command, &forms);
	return br_fail(err, BR_EINPUT,
		"'buildr %s' does not know this form of --output, only %s",
		command_name(options->command), br_buf_text(&forms));
}

/* How many arguments a command takes. */
static void count_arguments(enum command command, size_t *least, size_t *most)
{
	*least = (command &
			 (COMMAND_SUBMIT | COMMAND_CANCEL | COMMAND_COMPLETION |
				 COMMAND_CACHE | COMMAND_WHY)) != 0;
	*most = SIZE_MAX;
	if (command == COMMAND_SUBMIT)
		*most = 2;
	else if (command &
		(COMMAND_CANCEL | COMMAND_COMPLETION | COMMAND_SHELL))
		*most = 1;
	else if (command &
		(COMMAND_CHECK | COMMAND_GC | COMMAND_WATCH | COMMAND_DOCTOR))
		*most = 0;
}

static bool check_rest(const struct options *options, struct br_err *err)
{
	size_t least = 0;
	size_t most = 0;

	count_arguments(options->command, &least, &most);
	if (options->stage_count > most && !options->is_help)
		return br_fail(err, BR_EINPUT,
			"'buildr %s' takes no argument like '%s'",
			command_name(options->command), options->stages[most]);
	if (options->stage_count < least && !options->is_help &&
		!options->is_version)
		return br_fail(err, BR_EINPUT,
			"'buildr %s' wants to know which: 'buildr %s --help'",
			command_name(options->command),
			command_name(options->command));
	if (options->is_wait && options->is_detached)
		return br_fail(err, BR_EINPUT,
			"--wait and --detach exclude each other");
	if (options->is_verify_cache && options->is_no_cache)
		return br_fail(err, BR_EINPUT,
			"--verify-cache and --no-cache exclude each other");
	if (options->is_watch && options->is_dry_run)
		return br_fail(err, BR_EINPUT,
			"--watch and --dry-run exclude each other");
	if (options->is_followed && options->is_failed_only)
		return br_fail(err, BR_EINPUT,
			"--follow and --failed exclude each other: what failed "
			"is known when the build has ended");
	return check_output(options, err);
}

/*
 * The file and the environment are nothing to who asks for help, or completes a word: what
 * is wrong with them must not be in the way. doctor tells what it is.
 */
static bool read_sources(const struct given_all *given, struct options *options,
	struct br_err *err)
{
	bool is_asking =
		options->is_help || options->command == COMMAND_COMPLETION;

	for (size_t i = 0; i < given->option_count; i++)
		if (is_question(given->options[i].row))
			is_asking = true;
	if (is_asking)
		return true;
	if (!option_file_read(options, err)) {
		if (options->command != COMMAND_DOCTOR)
			return false;
		options->file_err = *err;
	}
	return option_environment_read(options, err);
}

static bool collect(
	int argc, char **argv, struct given_all *given, struct br_err *err)
{
	enum { WORD = 1 };
	struct br_arguments form;
	int index = 0;

	/* Words are handed out in their place, as if they were options. */
	br_arguments_init(&form, "-:", describe_row, OPTION_ROWS);
	opterr = 0;
	for (;;) {
		int result = getopt_long(
			argc, argv, form.letters, form.longs, &index);

		if (result == -1)
			break;
		if (result == '?' || result == ':')
			return fail_of_getopt(result, argv, err);
		if (result == WORD)
			given->words[given->word_count++] = optarg;
		else
			given->options[given->option_count++] = (struct given){
				.row = &option_rows[br_arguments_get(
					&form, result, index)],
				.value = optarg,
			};
	}
	given->front_count = given->word_count;
	for (int i = optind; i < argc; i++)
		given->words[given->word_count++] = argv[i];
	return true;
}

bool options_parse(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	/* Letters may be bundled, so count every byte of the arguments. */
	size_t most = 1;
	for (int i = 1; i < argc; i++)
		most += strlen(argv[i]);
	br_autofree struct given *given = br_alloc_array(most, sizeof(*given));
	struct given_all all = {
		.options = given,
		.words = br_arena_array(
			&options->arena, (size_t)argc + 1, sizeof(*all.words)),
	};

	options->grace_ms = BR_RUN_GRACE_MS;
	options->max_size_bytes = -1;
	options->max_age_ms = -1;
	options->min_free_bytes = -1;
	options->cache_bytes = BR_PRUNE_BYTES;
	options->cache_age_ms = BR_PRUNE_AGE_MS;
	options->log_builds = BR_LOG_KEPT;
	options->log_bytes = BR_LOG_SIZE_BYTES;
	return collect(argc, argv, &all, err) &&
		take_command(&all, options, err) &&
		read_sources(&all, options, err) &&
		apply_all(given, all.option_count, options, err) &&
		check_rest(options, err);
}

void options_done(struct options *options)
{
	free(options->env.items);
	free(options->only.items);
	free(options->from.items);
	free(options->skip.items);
	free(options->labels.items);
	free(options->job_stages.items);
	br_arena_done(&options->arena);
	*options = (struct options){ 0 };
}
