/* SPDX-License-Identifier: MIT */
/* main.c - buildr-agent: builds what the queue brings. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/check.h"
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

/* What SIGHUP reads again. */
struct arguments {
	int count;
	char **items;
	struct options *options;
};

static bool read_again(void *ctx, struct br_buf *kept, struct br_err *err)
{
	const struct arguments *arguments = ctx;

	return options_parse_again(arguments->count, arguments->items,
		arguments->options, kept, err);
}

static int check(const struct options *options)
{
	br_autobuf struct br_buf report = { 0 };
	struct br_err ignored = { 0 };
	bool is_well = false;

	/* That it could not be made is one of the things told. */
	(void)!make_work_dir(options->agent.work_dir, &ignored);
	is_well = check_all(&options->agent, &report);
	return print(br_buf_text(&report)) == 0 && is_well ? 0
							   : EXIT_ENVIRONMENT;
}

static int run(struct arguments *arguments, struct br_err *err)
{
	const struct options *options = arguments->options;
	const struct agent_reload reload = {
		.ctx = arguments,
		.read = read_again,
	};

	if (options->is_help)
		return print_help();
	if (options->is_version)
		return print("buildr-agent " BUILDR_VERSION "\n");
	if (options->is_check)
		return check(options);
	if (!make_work_dir(options->agent.work_dir, err))
		return EXIT_ENVIRONMENT;
	return agent_run(&options->agent, &reload);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct arguments arguments = { argc, argv, &options };
	struct br_err err = { 0 };
	int status = EXIT_USAGE;

	/* What one large message took is given back, also the second time. */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);

	if (options_parse(argc, argv, &options, &err))
		status = run(&arguments, &err);
	if (err.code != BR_OK)
		(void)fprintf(stderr, "buildr-agent: %s\n", err.text);
	options_done(&options);
	return status;
}
