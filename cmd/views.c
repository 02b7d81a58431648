/* SPDX-License-Identifier: MIT */
#include "cmd/views.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "view/view.h"

/* Give a variable's value; NULL where it is empty, too. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] != '\0' ? value : NULL;
}

/* A terminal that can do more than print. */
static bool is_smart(int fd)
{
	const char *term = variable("TERM");

	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool views_has_color(int fd)
{
	return is_smart(fd) && !variable("NO_COLOR");
}

/* What the locale says of the terminal; the console of Linux has few characters. */
static bool has_unicode(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *term = variable("TERM");
	const char *locale = NULL;

	for (size_t i = 0; !locale && i < sizeof(names) / sizeof(names[0]); i++)
		locale = variable(names[i]);
	return locale && term && strcmp(term, "linux") != 0 &&
		(strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8"));
}

static bool is_set(const char *name)
{
	const char *value = variable(name);

	return value && strcasecmp(value, "false") != 0 &&
		strcmp(value, "0") != 0;
}

/* Which of them this runs in, from what it sets in its jobs. */
static enum br_folds find_folds(void)
{
	static const struct {
		const char *name;
		enum br_folds folds;
	} systems[] = {
		{ "GITHUB_ACTIONS", BR_FOLDS_GITHUB },
		{ "GITLAB_CI", BR_FOLDS_GITLAB },
		{ "TEAMCITY_VERSION", BR_FOLDS_TEAMCITY },
		{ "BUILDKITE", BR_FOLDS_BUILDKITE },
	};

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (is_set(systems[i].name))
			return systems[i].folds;
	return BR_FOLDS_NONE;
}

static bool is_one_file(int err_fd)
{
	struct stat out = { 0 };
	struct stat err = { 0 };

	return fstat(STDOUT_FILENO, &out) == 0 && fstat(err_fd, &err) == 0 &&
		out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

/*
 * Whoever reads the log of a CI system sees no terminal, even where it has one. Live draws on one terminal what belongs to stdout and what to stderr. Where they are
 * not the same one it is `plain`, also if somebody asks for it.
 */
static bool is_live(const struct options *options, int err_fd)
{
	bool is_wanted = options->output == OUTPUT_LIVE ||
		(options->output == OUTPUT_AUTO && !options->is_grouped &&
			!is_set("CI"));

	return is_wanted && is_smart(STDOUT_FILENO) && is_smart(err_fd) &&
		is_one_file(err_fd);
}

bool views_are_live(const struct options *options)
{
	return options->output != OUTPUT_JSON &&
		options->output != OUTPUT_QUIET && !options->is_quiet &&
		is_live(options, STDERR_FILENO);
}

/* What buildr says itself goes to `err_fd`. */
static struct br_sink *make(
	const struct options *options, const char *command, int err_fd)
{
	const struct br_view_options how = {
		.out_fd = STDOUT_FILENO,
		.err_fd = err_fd,
		.has_out_color = views_has_color(STDOUT_FILENO),
		.has_err_color = views_has_color(err_fd),
		.has_unicode = has_unicode(),
		.is_verbose = options->is_verbose,
		.is_grouped = options->is_grouped,
		.folds = find_folds(),
		.command = command,
	};

	if (options->output == OUTPUT_JSON)
		return br_jsonl_new(&how);
	if (options->output == OUTPUT_QUIET || options->is_quiet)
		return br_quiet_new(&how);
	return is_live(options, err_fd) ? br_live_new(&how)
					: br_plain_new(&how);
}

struct br_sink *views_make(const struct options *options, const char *command)
{
	return make(options, command, STDERR_FILENO);
}

struct br_sink *views_make_of_log(
	const struct options *options, const char *command)
{
	struct options how = *options;

	/* What has ended has nothing to watch. */
	if (how.output == OUTPUT_AUTO && !how.is_followed)
		how.output = OUTPUT_PLAIN;
	return make(&how, command, STDOUT_FILENO);
}
