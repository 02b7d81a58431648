/* SPDX-License-Identifier: MIT */
/* main.c - buildr-agent: builds what the queue brings. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/options.h"
#include "base/file.h"

enum { EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

enum { MMAP_BYTES = 128 * 1024 };

static int print(const char *text)
{
	struct br_err ignored = { 0 };

	return br_file_write(STDOUT_FILENO, text, strlen(text), &ignored)
		? 0
		: EXIT_ENVIRONMENT;
}

static int print_help(void)
{
	br_autobuf struct br_buf text = { 0 };

	options_help(&text);
	return print(br_buf_text(&text));
}

/* The work directory holds other people's sources: it is the agent's alone. */
static bool make_work_dir(const char *path, struct br_err *err)
{
	if (mkdir(path, 0700) < 0 && access(path, W_OK | X_OK) < 0)
		return br_fail_errno(err, "--work-dir '%s'", path);
	return true;
}

static int run(const struct options *options, struct br_err *err)
{
	if (options->is_help)
		return print_help();
	if (options->is_version)
		return print("buildr-agent " BUILDR_VERSION "\n");
	if (!make_work_dir(options->agent.work_dir, err))
		return EXIT_ENVIRONMENT;
	return agent_run(&options->agent);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct br_err err = { 0 };
	int status = EXIT_USAGE;

	/* What one large message took is given back, also the second time. */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);

	if (options_parse(argc, argv, &options, &err))
		status = run(&options, &err);
	if (err.code != BR_OK)
		(void)fprintf(stderr, "buildr-agent: %s\n", err.text);
	options_done(&options);
	return status;
}
