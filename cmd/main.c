/* SPDX-License-Identifier: MIT */
/* main.c - picks the command; each is a file of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cmd/commands.h"
#include "cmd/completion/complete.h"
#include "cmd/rerun/rerun.h"

void complain(const struct br_err *err)
{
	(void)fprintf(stderr, "buildr: %s\n", err->text);
}

int status_of(const struct br_err *err)
{
	switch (err->code) {
	case BR_OK:
		return STATUS_PASS;
	case BR_EINPUT:
	case BR_ENOTFOUND:
		return STATUS_USAGE;
	case BR_EUNAVAIL:
	case BR_EPROTO:
	case BR_ECANCELED:
	case BR_ETIMEDOUT:
	case BR_ESYSTEM:
		return STATUS_ENVIRONMENT;
	}
	return STATUS_ENVIRONMENT;
}

static int print(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
		perror("buildr: write to stdout");
		return STATUS_ENVIRONMENT;
	}
	return STATUS_PASS;
}

static int print_help(const struct options *options)
{
	br_autobuf struct br_buf text = { 0 };

	options_help(options->command, &text);
	return print(br_buf_text(&text));
}

static int run_command(const struct options *options, char **argv)
{
	if (options->is_help)
		return print_help(options);
	if (options->is_version)
		return print("buildr " BUILDR_VERSION "\n");
	switch (options->command) {
	case COMMAND_RUN:
		if (options->is_dry_run)
			return cmd_plan(options);
		return options->is_watch ? rerun(options) : cmd_run(options);
	case COMMAND_CHECK:
		return cmd_check(options);
	case COMMAND_PLAN:
		return cmd_plan(options);
	case COMMAND_GC:
		return cmd_gc(options);
	case COMMAND_LOG:
		return cmd_log(options);
	case COMMAND_EVENTS:
		return cmd_events(options);
	case COMMAND_SHELL:
		return cmd_shell(options);
	case COMMAND_SUBMIT:
	case COMMAND_CANCEL:
	case COMMAND_WATCH:
		return farm_exec(argv);
	case COMMAND_INIT:
		return cmd_init(options);
	case COMMAND_DOCTOR:
		return cmd_doctor(options, argv);
	case COMMAND_COMPLETION:
		return cmd_completion(options);
	case COMMAND_CACHE:
		return cmd_cache(options);
	case COMMAND_WHY:
		return cmd_why(options);
	case COMMAND_HELP:
		return STATUS_USAGE;
	}
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct br_err err = { 0 };
	int status = STATUS_USAGE;

	/*
	 * A reader that is gone is an error of write(), not our end; so is a log
	 * that may not grow (ulimit -f).
	 */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc > 1 && !strcmp(argv[1], COMPLETE_COMMAND))
		return complete_words(argv + 2);
	if (options_parse(argc, argv, &options, &err))
		status = run_command(&options, argv);
	else
		complain(&err);
	options_done(&options);
	return status;
}
