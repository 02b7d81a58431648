/* SPDX-License-Identifier: MIT */
/* option_help.c - what --help says, made from the tables of options and commands. */
#include <string.h>

#include "cmd/options/option_rows.h"
#include "cmd/options/options.h"

/* Of one command: what all of them take together is nothing to it. */
static void add_own_help(
	const struct option_row *row, enum command command, struct br_buf *help)
{
	if (!strcmp(row->name, "output"))
		option_list_choices(row, command, help);
	else
		br_buf_add_text(help, row->help);
}

static void add_option_help(
	const struct option_row *row, const char *help, struct br_buf *text)
{
	br_autobuf struct br_buf names = { 0 };

	if (row->letter != '\0')
		br_buf_addf(&names, "-%c, ", row->letter);
	br_buf_addf(&names, "--%s%s%s", row->name, row->value_name ? " " : "",
		row->value_name ? row->value_name : "");
	br_buf_addf(text, "  %-27s %s\n", br_buf_text(&names), help);
}

/* What each of `commands` may take. */
static void add_options_help(unsigned commands, struct br_buf *text)
{
	br_buf_add_text(text, "\noptions:\n");
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (option_rows[i].commands & ~option_rows[i].unlisted &
			commands)
			add_option_help(
				&option_rows[i], option_rows[i].help, text);
}

static void add_options_of(enum command command, struct br_buf *text)
{
	br_buf_add_text(text, "\noptions:\n");
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		br_autobuf struct br_buf help = { 0 };

		if (!(row->commands & ~row->unlisted & (unsigned)command))
			continue;
		add_own_help(row, command, &help);
		add_option_help(row, br_buf_text(&help), text);
	}
}

static void add_command_help(const struct command_row *row, struct br_buf *text)
{
	br_buf_addf(text, "buildr %s: %s.\n\nusage: buildr %s [OPTIONS]%s%s\n",
		row->name, row->help, row->name,
		row->arguments[0] != '\0' ? " " : "", row->arguments);
	add_options_of(row->command, text);
	br_buf_addf(text, "\n%sSee buildr-%s(1).\n",
		row->details ? row->details : "", row->name);
}

void options_help(enum command command, struct br_buf *text)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		if (command_rows[i].command == command &&
			command_rows[i].arguments) {
			add_command_help(&command_rows[i], text);
			return;
		}
	br_buf_add_text(text,
		"buildr runs a project's .buildr.yml in "
		"containers.\n\nusage: buildr [COMMAND] "
		"[OPTIONS] [STAGE...]\n\ncommands:\n");
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		br_buf_addf(text, "  %-12s%s\n", command_rows[i].name,
			command_rows[i].help);
	add_options_help(COMMAND_RUN | COMMAND_CHECK | COMMAND_PLAN |
			COMMAND_GC | COMMANDS_LOG,
		text);
	br_buf_add_text(text,
		"\nSTAGE is a name or a pattern, as 'test*'; --only, --from and "
		"--skip can be repeated.\n"
		"Every option has an environment variable: BUILDR_ and its "
		"name, as BUILDR_OUTPUT;\n"
		"it can stand in ~/.config/buildr/config too, as 'output = "
		"plain'.\n"
		"'buildr help submit' lists the options of that command, and "
		"so on.\n"
		"exit status: 0 passed, 1 a stage failed, 2 wrong usage or "
		"manifest,\n"
		"3 the environment failed, 130 and 143 stopped by SIGINT and "
		"SIGTERM.\n"
		"See buildr(1), buildr-run(1) and buildr.yml(5).\n");
}
