/* SPDX-License-Identifier: MIT */
/* farm_main.c - buildr-farm: what buildr does over a broker; cmd/farm.c calls it. */
#include <signal.h>
#include <stdio.h>

#include "agent/farm_commands.h"

static int run(const struct options *options)
{
	switch (options->command) {
	case COMMAND_SUBMIT:
		return cmd_submit(options);
	case COMMAND_CANCEL:
		return cmd_cancel(options);
	case COMMAND_WATCH:
		return cmd_watch(options);
	case COMMAND_DOCTOR:
		return cmd_doctor(options);
	case COMMAND_RUN:
	case COMMAND_CHECK:
	case COMMAND_PLAN:
	case COMMAND_GC:
	case COMMAND_SHELL:
	case COMMAND_INIT:
	case COMMAND_COMPLETION:
	case COMMAND_HELP:
	case COMMAND_LOG:
	case COMMAND_EVENTS:
	case COMMAND_CACHE:
	case COMMAND_WHY:
		break;
	}
	(void)fprintf(stderr, "buildr-farm: this is a part of buildr\n");
	return FARM_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct br_err err = { 0 };
	int status = FARM_EXIT_USAGE;

	(void)signal(SIGPIPE, SIG_IGN);
	if (options_parse(argc, argv, &options, &err))
		status = run(&options);
	else
		(void)fprintf(stderr, "buildr: %s\n", err.text);
	options_done(&options);
	return status;
}
