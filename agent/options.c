/* SPDX-License-Identifier: MIT */
#include "agent/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/option_rows.h"
#include "base/arguments.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/settings.h"
#include "cache/prune.h"

/* One of the three places that options come from, while it is read. */
struct source {
	struct options *options;
	/* What it has given so far. */
	bool is_given[OPTION_ROWS];
};

static bool give(struct source *source, const struct option_row *row,
	const char *value, struct br_err *err)
{
	assert(row);

	size_t index = (size_t)(row - option_rows);
	/* The places that were read before count for less. */
	if (row->is_list && !source->is_given[index] &&
		!row->set(source->options, NULL, err))
		return false;
	source->is_given[index] = true;
	return row->set(source->options, value, err);
}

/* The file. */

static const struct option_row *find_by_name(const char *name)
{
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	return NULL;
}

static bool take_line(
	void *ctx, const char *name, const char *value, struct br_err *err)
{
	struct source *source = ctx;
	const struct option_row *row = find_by_name(name);

	if (!row || row->place != OPTION_ANYWHERE)
		return br_fail(err, BR_EINPUT,
			row ? "'%s' cannot stand in a file"
			    : "there is no option '%s'",
			name);
	if (row->value_name && (!value || value[0] == '\0'))
		return br_fail(err, BR_EINPUT, "'%s' needs a value", name);
	if (!row->is_list && source->is_given[row - option_rows])
		return br_fail(err, BR_EINPUT, "'%s' is given twice", name);
	if (!value || value[0] == '\0')
		value = "true";
	return give(source, row,
		br_arena_strdup(&source->options->arena, value), err);
}

static bool read_file(
	const char *path, struct options *options, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	struct source source = { .options = options };

	if (!br_file_load(path, BR_LIMIT_SETTINGS_BYTES, &text, err)) {
		/* Whatever it is, it is the user's to put right. */
		err->code = BR_EINPUT;
		return br_wrap(err, "--config");
	}
	return br_settings_parse(
		path, br_buf_str(&text), take_line, &source, err);
}

/* The environment. */

/* Each line of a list is a value. */
static bool read_lines(struct source *source, const struct option_row *row,
	const char *text, struct br_err *err)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *line =
			br_arena_memdup(&source->options->arena, text, len);

		if (len > 0 && !give(source, row, line, err))
			return false;
		text += len + (text[len] == '\n' ? 1 : 0);
	}
	return true;
}

static bool read_variable(
	struct source *source, const struct option_row *row, struct br_err *err)
{
	char name[BR_ARGUMENT_VARIABLE_BYTES];

	br_argument_variable(row->name, name);
	const char *value = getenv(name);
	if (!value || value[0] == '\0' || row->place == OPTION_NOWHERE_ELSE)
		return true;
	return (row->is_list ? read_lines(source, row, value, err)
			     : give(source, row, value, err)) ||
		br_wrap(err, "%s", name);
}

static bool read_environment(struct options *options, struct br_err *err)
{
	struct source source = { .options = options };

	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (!read_variable(&source, &option_rows[i], err))
			return false;
	return true;
}

/* The command line. */

static struct br_argument describe_row(size_t index)
{
	const struct option_row *row = &option_rows[index];

	return (struct br_argument){
		.name = row->name,
		.letter = row->letter,
		.has_value = row->value_name != NULL,
	};
}

static bool read_arguments(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	struct source source = { .options = options };
	struct br_arguments form;
	int index = 0;

	br_arguments_init(&form, ":", describe_row, OPTION_ROWS);
	opterr = 0;
	optind = 0; /* getopt_long() begins anew */
	for (;;) {
		int result = getopt_long(
			argc, argv, form.letters, form.longs, &index);

		if (result == -1)
			break;
		if (result == ':')
			return br_fail(err, BR_EINPUT,
				"option '%s' needs a value", argv[optind - 1]);
		if (result == '?')
			return br_fail(err, BR_EINPUT,
				"unknown option '%s': 'buildr-agent --help' "
				"lists them",
				argv[optind - 1]);
		if (!give(&source,
			    &option_rows[br_arguments_get(
				    &form, result, index)],
			    optarg ? optarg : "true", err))
			return false;
	}
	return optind == argc ||
		br_fail(err, BR_EINPUT, "'%s' is no option", argv[optind]);
}

/* All of it. */

static void set_defaults(struct options *options)
{
	struct agent_options *agent = &options->agent;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname host = { 0 };

	(void)uname(&host);
	agent->broker = "amqp://guest:guest@127.0.0.1:5672/";
	agent->queue = "build_queue";
	agent->name = br_arena_strdup(&options->arena, host.nodename);
	agent->work_dir = "/var/lib/buildr";
	agent->jobs = processors > 0 ? (unsigned)processors : 1;
	agent->min_free_bytes = INT64_C(256) << 20;
	agent->mirror_max_age_ms = INT64_C(30) * 24 * 3600 * 1000;
	agent->cache.size_bytes = BR_PRUNE_BYTES;
	agent->cache.age_ms = BR_PRUNE_AGE_MS;
}

static bool read_all(int argc, char **argv, const char *config,
	struct options *options, struct br_err *err)
{
	set_defaults(options);
	return (!config || read_file(config, options, err)) &&
		read_environment(options, err) &&
		read_arguments(argc, argv, options, err);
}

bool options_parse(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	const char *config = NULL;

	if (!read_all(argc, argv, NULL, options, err))
		return false;
	config = options->config;
	if (!config || options->is_help || options->is_version)
		return true;
	/* The other two say which file it is, and what is in it counts for less. */
	options_done(options);
	return read_all(argc, argv, config, options, err);
}

/* Keep what `old` has; say so where `*value` is another. */
static void keep(struct options *options, const char **value, const char *old,
	const char *name, struct br_buf *kept)
{
	bool is_same = *value && old ? !strcmp(*value, old) : *value == old;

	if (!is_same)
		br_buf_addf(kept, "%s--%s", kept->len > 0 ? " " : "", name);
	*value = old ? br_arena_strdup(&options->arena, old) : NULL;
}

bool options_parse_again(int argc, char **argv, struct options *options,
	struct br_buf *kept, struct br_err *err)
{
	const struct agent_options *old = &options->agent;
	struct options again = { 0 };

	if (!options_parse(argc, argv, &again, err)) {
		options_done(&again);
		return false;
	}
	keep(&again, &again.agent.queue, old->queue, "queue", kept);
	keep(&again, &again.agent.name, old->name, "name", kept);
	keep(&again, &again.agent.work_dir, old->work_dir, "work-dir", kept);
	keep(&again, &again.agent.listen, old->listen, "listen", kept);
	options_done(options);
	*options = again;
	return true;
}

void options_done(struct options *options)
{
	br_arena_done(&options->arena);
	*options = (struct options){ 0 };
}

void options_help(struct br_buf *text)
{
	br_buf_add_text(text,
		"usage: buildr-agent [OPTIONS]\n\n"
		"Takes jobs from RabbitMQ and builds them.\n\n");
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		br_autobuf struct br_buf left = { 0 };

		if (row->letter != '\0')
			br_buf_addf(&left, "-%c, ", row->letter);
		br_buf_addf(&left, "--%s%s%s", row->name,
			row->value_name ? " " : "",
			row->value_name ? row->value_name : "");
		br_buf_addf(
			text, "  %-28s %s\n", br_buf_text(&left), row->help);
	}
}
