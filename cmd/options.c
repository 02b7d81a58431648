/* SPDX-License-Identifier: MIT */
#include "cmd/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/parse.h"
#include "base/suggest.h"

enum { ALL_COMMANDS = COMMAND_RUN | COMMAND_CHECK | COMMAND_PLAN | COMMAND_GC };
enum { PLANNING = COMMAND_RUN | COMMAND_PLAN };

/* Take the value of an option; NULL where it has none. */
typedef bool set_fn(
	struct options *options, const char *value, struct br_err *err);

struct row {
	const char *name;
	/* '\0': none. */
	char letter;
	/* What the value is called in --help; NULL: the option has no value. */
	const char *value_name;
	/* Bits of enum command; 0: an option of a later version. */
	unsigned commands;
	/* Has an environment variable. */
	bool has_variable;
	set_fn *set;
	const char *help;
};

struct choice {
	const char *name;
	int value;
};

static bool choose(const char *what, const char *text,
	const struct choice *choices, size_t count, int *value,
	struct br_err *err)
{
	br_autobuf struct br_buf known = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(choices[i].name, text)) {
			*value = choices[i].value;
			return true;
		}
		br_buf_addf(&known, "%s%s", i > 0 ? ", " : "", choices[i].name);
	}
	return br_fail(err, BR_EINPUT, "%s '%s' is none of %s", what, text,
		br_buf_text(&known));
}

static bool set_path(
	struct options *options, const char *value, struct br_err *err)
{
	(void)err;
	options->path = value;
	return true;
}

static bool set_file(
	struct options *options, const char *value, struct br_err *err)
{
	(void)err;
	options->file = value;
	return true;
}

static bool set_docker_sock(
	struct options *options, const char *value, struct br_err *err)
{
	(void)err;
	options->docker_sock = value;
	return true;
}

static bool set_image(
	struct options *options, const char *value, struct br_err *err)
{
	(void)err;
	options->image = value;
	return true;
}

static bool set_env(
	struct options *options, const char *value, struct br_err *err)
{
	(void)err;
	options->env = br_grow(options->env, options->env_count,
		&options->env_capacity, sizeof(*options->env));
	options->env[options->env_count++] = value;
	return true;
}

static bool set_pull(
	struct options *options, const char *value, struct br_err *err)
{
	static const struct choice choices[] = {
		{ "missing", BR_PULL_MISSING },
		{ "always", BR_PULL_ALWAYS },
		{ "never", BR_PULL_NEVER },
	};
	int chosen = 0;

	if (!choose("--pull", value, choices, 3, &chosen, err))
		return false;
	options->pull = (enum br_pull)chosen;
	return true;
}

static bool set_output(
	struct options *options, const char *value, struct br_err *err)
{
	static const struct choice choices[] = {
		{ "auto", OUTPUT_AUTO },
		{ "plain", OUTPUT_PLAIN },
		{ "json", OUTPUT_JSON },
		{ "quiet", OUTPUT_QUIET },
		{ "text", OUTPUT_TEXT },
		{ "dot", OUTPUT_DOT },
	};
	int chosen = 0;

	if (!strcmp(value, "live"))
		return br_fail(err, BR_EINPUT,
			"--output live is not supported yet: use plain");
	if (!choose("--output", value, choices, 6, &chosen, err))
		return false;
	options->output = (enum output)chosen;
	return true;
}

static bool set_wire(
	struct options *options, const char *value, struct br_err *err)
{
	static const struct choice choices[] = {
		{ "auto", BR_WIRE_AUTO },
		{ "socket", BR_WIRE_SOCKET },
		{ "stdio", BR_WIRE_STDIO },
	};
	int chosen = 0;

	if (!choose("--wire", value, choices, 3, &chosen, err))
		return false;
	options->wire = (enum br_wire_kind)chosen;
	return true;
}

static bool set_timeout(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_duration(value, &options->timeout_ms, err) ||
		br_wrap(err, "--timeout");
}

static bool set_grace(
	struct options *options, const char *value, struct br_err *err)
{
	/* Here no time at all makes sense: SIGKILL at once. */
	if (!strcmp(value, "0") || !strcmp(value, "0s")) {
		options->grace_ms = 0;
		return true;
	}
	return br_parse_duration(value, &options->grace_ms, err) ||
		br_wrap(err, "--grace");
}

static bool set_jobs(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_int(value, 1, 1000, &options->jobs, err) ||
		br_wrap(err, "--jobs");
}

static bool set_no_cache(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->is_no_cache = true;
	return true;
}

static bool set_dry_run(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->is_dry_run = true;
	return true;
}

static bool set_verbose(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->is_verbose = true;
	return true;
}

static bool set_quiet(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->is_quiet = true;
	return true;
}

static bool set_help(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->is_help = true;
	return true;
}

static bool set_version(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->is_version = true;
	return true;
}

static const struct row rows[] = {
	{ "path", 'C', "DIR", ALL_COMMANDS, true, set_path,
		"where the project is; the manifest is looked for from here up" },
	{ "file", 'f', "FILE", ALL_COMMANDS, true, set_file, "the manifest" },
	{ "docker-sock", 'H', "ADDRESS", ALL_COMMANDS, true, set_docker_sock,
		"the engine: unix:///path or tcp://host:port" },
	{ "env", 'e', "NAME=VALUE", PLANNING, true, set_env,
		"a variable of every step; NAME alone passes the caller's" },
	{ "image", '\0', "IMAGE", PLANNING, true, set_image,
		"instead of the manifest's image" },
	{ "pull", '\0', "WHEN", COMMAND_RUN, true, set_pull,
		"pull the image: missing (default), always or never" },
	{ "output", 'o', "FORM", COMMAND_RUN | COMMAND_CHECK | COMMAND_PLAN,
		true, set_output,
		"run: auto, plain, json or quiet; check: text or json; plan: "
		"text, json or dot" },
	{ "jobs", 'j', "N", COMMAND_RUN, true, set_jobs,
		"stages at once; default: the processors" },
	{ "no-cache", '\0', NULL, COMMAND_RUN, true, set_no_cache,
		"ignore and do not write the stage cache" },
	{ "dry-run", '\0', NULL, COMMAND_RUN, true, set_dry_run,
		"print the plan and run nothing" },
	{ "timeout", '\0', "DURATION", COMMAND_RUN, true, set_timeout,
		"for the whole build, like 90s, 20m or 2h" },
	{ "grace", '\0', "DURATION", COMMAND_RUN, true, set_grace,
		"between SIGTERM and SIGKILL of a step; default 10s" },
	{ "wire", '\0', "KIND", COMMAND_RUN, true, set_wire,
		"to the container: auto (default), socket or stdio" },
	{ "verbose", 'v', NULL, ALL_COMMANDS, true, set_verbose, "say more" },
	{ "quiet", 'q', NULL, ALL_COMMANDS, true, set_quiet,
		"only what went wrong; as -o quiet" },
	{ "keep", '\0', NULL, 0, false, NULL, NULL },
	{ "shell-on-fail", '\0', NULL, 0, false, NULL, NULL },
	{ "junit", '\0', "FILE", 0, false, NULL, NULL },
	{ "help", 'h', NULL, ALL_COMMANDS, false, set_help, "this text" },
	{ "version", '\0', NULL, ALL_COMMANDS, false, set_version,
		"the version" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct command_row {
	const char *name;
	/* 0: a command of a later version. */
	enum command command;
	const char *help;
};

static const struct command_row commands[] = {
	{ "run", COMMAND_RUN,
		"run the manifest; with names, those stages and "
		"what they need" },
	{ "check", COMMAND_CHECK,
		"read the manifest and report every mistake" },
	{ "plan", COMMAND_PLAN, "the stages in the order they would run" },
	{ "gc", COMMAND_GC, "remove what dead builds left behind" },
	{ "init", 0, NULL },
	{ "shell", 0, NULL },
	{ "log", 0, NULL },
	{ "doctor", 0, NULL },
	{ "completion", 0, NULL },
	{ "submit", 0, NULL },
	{ "cancel", 0, NULL },
	{ "watch", 0, NULL },
	{ "cache", 0, NULL },
	{ "why", 0, NULL },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char *command_name(enum command command)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].command == command)
			return commands[i].name;
	return "";
}

/* `--docker-sock` has the variable BUILDR_DOCKER_SOCK. */
static void variable_of(const struct row *row, char *name, size_t size)
{
	(void)snprintf(name, size, "BUILDR_%s", row->name);
	for (char *at = name; *at != '\0'; at++)
		*at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
}

/* A variable of an option without a value is 1, true, 0, false or empty. */
static bool read_switch(const char *text, bool *is_on, struct br_err *err)
{
	static const struct choice choices[] = {
		{ "1", 1 },
		{ "true", 1 },
		{ "0", 0 },
		{ "false", 0 },
		{ "", 0 },
	};
	int chosen = 0;

	if (!choose("the value", text, choices, 5, &chosen, err))
		return false;
	*is_on = chosen == 1;
	return true;
}

/* BUILDR_ENV holds one NAME=VALUE a line. */
static void read_env_lines(struct options *options, const char *text)
{
	struct br_err unused = { 0 };
	char *line = br_strdup(text);

	options->env_lines = line;
	while (line) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (line[0] != '\0')
			(void)set_env(options, line, &unused);
		line = end ? end + 1 : NULL;
	}
}

static bool read_variable(
	const struct row *row, struct options *options, struct br_err *err)
{
	char name[64];
	bool is_on = true;

	variable_of(row, name, sizeof(name));
	const char *value = getenv(name);
	if (!value || (row->value_name && value[0] == '\0'))
		return true;
	if (row->set == set_env) {
		read_env_lines(options, value);
		return true;
	}
	if (!row->value_name && !read_switch(value, &is_on, err))
		return br_wrap(err, "%s", name);
	return !is_on || row->set(options, value, err) ||
		br_wrap(err, "%s", name);
}

/* BUILDR_OUTPUT means `run`, so it must not break `check` and `plan`. */
static bool read_environment(struct options *options, struct br_err *err)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].has_variable &&
			(rows[i].commands & options->command) &&
			(rows[i].set != set_output ||
				options->command == COMMAND_RUN) &&
			!read_variable(&rows[i], options, err))
			return false;
	return true;
}

/* What getopt_long() wants, made from the table. */
struct getopt_form {
	char letters[2 * ROWS + 3];
	struct option longs[ROWS + 1];
};

static void make_getopt_form(struct getopt_form *form)
{
	char *at = form->letters;

	*at++ = ':';
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].letter != '\0') {
			*at++ = rows[i].letter;
			if (rows[i].value_name)
				*at++ = ':';
		}
		form->longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].value_name ? required_argument
						      : no_argument,
		};
	}
	*at = '\0';
	form->longs[ROWS] = (struct option){ 0 };
}

static const struct row *find_row(int letter, int index)
{
	for (size_t i = 0; letter != 0 && i < ROWS; i++)
		if (rows[i].letter == (char)letter)
			return &rows[i];
	return letter == 0 ? &rows[index] : NULL;
}

static bool fail_of_unknown(const char *argument, struct br_err *err)
{
	const char *names[ROWS];
	const char *equals = strchr(argument, '=');
	br_autofree char *typed = br_memdup(argument,
		equals ? (size_t)(equals - argument) : strlen(argument));
	const char *near = NULL;

	for (size_t i = 0; i < ROWS; i++)
		names[i] = rows[i].name;
	if (br_has_prefix(typed, "--"))
		near = br_suggest_find(typed + 2, names, ROWS);
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
	const struct row *row;
	const char *value;
};

static bool apply(
	const struct given *given, struct options *options, struct br_err *err)
{
	const struct row *row = given->row;

	if (row->commands == 0)
		return br_fail(
			err, BR_EINPUT, "--%s is not supported yet", row->name);
	if (!(row->commands & options->command))
		return br_fail(err, BR_EINPUT,
			"--%s is no option of 'buildr %s'", row->name,
			command_name(options->command));
	return row->set(options, given->value, err);
}

static bool take_command(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	int first = optind;
	/* After `--` everything is a stage, also what is called `check`. */
	bool is_stage_only = first > 1 && !strcmp(argv[first - 1], "--");

	options->command = COMMAND_RUN;
	for (size_t i = 0; first < argc && !is_stage_only && i < COMMANDS;
		i++) {
		if (strcmp(argv[first], commands[i].name) != 0)
			continue;
		if (commands[i].command == 0)
			return br_fail(err, BR_EINPUT,
				"'buildr %s' is not supported yet; for a stage "
				"of that name: buildr run %s",
				argv[first], argv[first]);
		options->command = commands[i].command;
		first++;
		break;
	}
	options->stages = (const char *const *)argv + first;
	options->stage_count = (size_t)(argc - first);
	return true;
}

/* Which forms a command knows; AUTO is every command's default. */
static bool check_output(const struct options *options, struct br_err *err)
{
	enum output output = options->output;
	bool is_known = output == OUTPUT_AUTO || output == OUTPUT_JSON;

	if (options->command == COMMAND_RUN)
		is_known = output != OUTPUT_DOT && output != OUTPUT_TEXT;
	else if (options->command == COMMAND_CHECK)
		is_known = is_known || output == OUTPUT_TEXT;
	else if (options->command == COMMAND_PLAN)
		is_known = is_known || output == OUTPUT_TEXT ||
			output == OUTPUT_DOT;
	return is_known ||
		br_fail(err, BR_EINPUT,
			"'buildr %s' does not know this form of --output",
			command_name(options->command));
}

static bool check_rest(const struct options *options, struct br_err *err)
{
	if (options->stage_count > 0 &&
		(options->command & (COMMAND_CHECK | COMMAND_GC)))
		return br_fail(err, BR_EINPUT,
			"'buildr %s' takes no argument like '%s'",
			command_name(options->command), options->stages[0]);
	return check_output(options, err);
}

static bool collect(int argc, char **argv, struct given *given,
	size_t *given_count, struct br_err *err)
{
	struct getopt_form form;
	int index = 0;

	make_getopt_form(&form);
	opterr = 0;
	for (;;) {
		int result = getopt_long(
			argc, argv, form.letters, form.longs, &index);

		if (result == -1)
			return true;
		if (result == '?' || result == ':')
			return fail_of_getopt(result, argv, err);
		given[(*given_count)++] = (struct given){
			.row = find_row(result, index),
			.value = optarg,
		};
	}
}

bool options_parse(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	/* Letters may be bundled, so count every byte of the arguments. */
	size_t most = 1;
	for (int i = 1; i < argc; i++)
		most += strlen(argv[i]);
	br_autofree struct given *given = br_alloc_array(most, sizeof(*given));
	size_t given_count = 0;

	options->grace_ms = BR_RUN_GRACE_MS;
	if (!collect(argc, argv, given, &given_count, err) ||
		!take_command(argc, argv, options, err) ||
		!read_environment(options, err))
		return false;

	/* A variable of the environment is the weaker one. */
	for (size_t i = 0; i < given_count; i++)
		if (!apply(&given[i], options, err))
			return false;
	return check_rest(options, err);
}

void options_done(struct options *options)
{
	free(options->env);
	free(options->env_lines);
	*options = (struct options){ 0 };
}

void options_help(struct br_buf *text)
{
	br_buf_add_text(text,
		"buildr runs a project's .buildr.yml in "
		"containers.\n\nusage: buildr [COMMAND] "
		"[OPTIONS] [STAGE...]\n\ncommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].command != 0)
			br_buf_addf(text, "  %-8s%s\n", commands[i].name,
				commands[i].help);
	br_buf_add_text(text, "\noptions:\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		br_autobuf struct br_buf names = { 0 };

		if (row->commands == 0)
			continue;
		if (row->letter != '\0')
			br_buf_addf(&names, "-%c, ", row->letter);
		br_buf_addf(&names, "--%s%s%s", row->name,
			row->value_name ? " " : "",
			row->value_name ? row->value_name : "");
		br_buf_addf(
			text, "  %-27s %s\n", br_buf_text(&names), row->help);
	}
	br_buf_add_text(text,
		"\nEvery option has an environment variable: BUILDR_ and its "
		"name, as BUILDR_OUTPUT.\n"
		"exit status: 0 passed, 1 a stage failed, 2 wrong usage or "
		"manifest,\n"
		"3 the environment failed, 130 and 143 stopped by SIGINT and "
		"SIGTERM.\n"
		"See buildr(1) and buildr.yml(5).\n");
}
