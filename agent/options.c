/* SPDX-License-Identifier: MIT */
#include "agent/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/parse.h"

/* A list as it grows: in the arena, NULL-terminated. */
enum { LIST_MAX = 256 };

enum { LABELS_MAX = 6, JOBS_MAX = 256 };

typedef bool set_fn(
	struct options *options, const char *value, struct br_err *err);

struct row {
	const char *name;
	/* '\0': none. */
	char letter;
	/* NULL: the option has no value. */
	const char *value_name;
	bool is_list;
	/* NULL: no variable. */
	set_fn *set;
	const char *help;
};

static bool add(struct options *options, const char *const **items,
	size_t *count, const char *value, struct br_err *err)
{
	const char **list = NULL;

	if (*count == LIST_MAX)
		return br_fail(err, BR_EINPUT, "more than %d values", LIST_MAX);
	/* What is dropped here is freed with the rest at the end. */
	list = br_arena_array(&options->arena, *count + 2, sizeof(*list));
	for (size_t i = 0; i < *count; i++)
		list[i] = (*items)[i];
	list[(*count)++] = value;
	*items = list;
	return true;
}

#define SETTER(function, member) \
	static bool function(struct options *options, const char *value, \
		struct br_err *err) \
	{ \
		(void)err; \
		options->agent.member = value; \
		return true; \
	}

SETTER(set_broker, broker)
SETTER(set_queue, queue)
SETTER(set_name, name)
SETTER(set_work_dir, work_dir)
SETTER(set_docker_sock, docker_sock)
SETTER(set_ca_file, ca_file)
SETTER(set_cert_file, cert_file)
SETTER(set_key_file, key_file)

static bool set_jobs(
	struct options *options, const char *value, struct br_err *err)
{
	int64_t jobs = 0;

	if (!br_parse_int(value, 1, JOBS_MAX, &jobs, err))
		return br_wrap(err, "--jobs");
	options->agent.jobs = (unsigned)jobs;
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static bool set_label(
	struct options *options, const char *value, struct br_err *err)
{
	struct job_texts *labels = &options->agent.labels;
	const char *const *items = labels->items;

	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i], value) == 0)
			return true;
	if (!job_is_label(value))
		return br_fail(err, BR_EINPUT,
			"--label '%s' is no label: letters, digits and "
			"_.:/=-, at most 64 bytes",
			value);
	if (labels->count == LABELS_MAX)
		return br_fail(
			err, BR_EINPUT, "more than %d labels", LABELS_MAX);
	if (!add(options, &items, &labels->count, value, err))
		return false;

	const char **sorted = br_arena_array(
		&options->arena, labels->count + 1, sizeof(*sorted));
	memcpy(sorted, items, labels->count * sizeof(*sorted));
	qsort(sorted, labels->count, sizeof(*sorted), compare_texts);
	labels->items = sorted;
	return true;
}

static bool set_docker_socket(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->agent.policy.has_docker_socket = true;
	return true;
}

static bool set_no_network(
	struct options *options, const char *value, struct br_err *err)
{
	(void)value;
	(void)err;
	options->agent.policy.has_no_network = true;
	return true;
}

static bool set_repo(
	struct options *options, const char *value, struct br_err *err)
{
	struct policy *policy = &options->agent.policy;

	return add(options, &policy->repos, &policy->repo_count, value, err);
}

static bool set_image(
	struct options *options, const char *value, struct br_err *err)
{
	struct policy *policy = &options->agent.policy;

	return add(options, &policy->images, &policy->image_count, value, err);
}

static bool set_protocol(
	struct options *options, const char *value, struct br_err *err)
{
	struct policy *policy = &options->agent.policy;
	size_t count = 0;

	while (policy->protocols && policy->protocols[count])
		count++;
	return add(options, &policy->protocols, &count, value, err);
}

static bool set_memory(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_size(value, &options->agent.policy.memory_bytes, err) ||
		br_wrap(err, "--memory");
}

static bool set_cpus(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_nano(value, &options->agent.policy.cpus_nano, err) ||
		br_wrap(err, "--cpus");
}

static bool set_pids(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_int(
		       value, 1, 4194304, &options->agent.policy.pids, err) ||
		br_wrap(err, "--pids");
}

static bool set_timeout(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_duration(
		       value, &options->agent.policy.timeout_ms, err) ||
		br_wrap(err, "--timeout");
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
	{ "broker", '\0', "URL", false, set_broker,
		"amqp[s]://user:password@host:port/vhost; better in "
		"BUILDR_BROKER" },
	{ "queue", '\0', "NAME", false, set_queue,
		"where jobs come from; default build_queue" },
	{ "jobs", 'j', "N", false, set_jobs,
		"jobs at once; default: the processors" },
	{ "label", '\0', "NAME", true, set_label,
		"also take jobs that ask for it; up to 6" },
	{ "name", '\0', "NAME", false, set_name,
		"what events call this agent; default: the host's name" },
	{ "work-dir", '\0', "DIR", false, set_work_dir,
		"for mirrors and work trees; default /var/lib/buildr" },
	{ "docker-sock", 'H', "ADDRESS", false, set_docker_sock,
		"the engine: unix:///path or tcp://host:port" },
	{ "docker-socket", '\0', NULL, false, set_docker_socket,
		"builds may have the engine's socket, and are root here then" },
	{ "allow-repo", '\0', "GLOB", true, set_repo,
		"build only these repositories" },
	{ "allow-image", '\0', "GLOB", true, set_image,
		"run only these images" },
	{ "allow-protocol", '\0', "NAME", true, set_protocol,
		"beside https, http, ssh and git" },
	{ "memory", '\0', "SIZE", false, set_memory,
		"the most that a build's container gets" },
	{ "cpus", '\0', "NUMBER", false, set_cpus,
		"the most processors that it gets" },
	{ "pids", '\0', "N", false, set_pids,
		"the most processes that it has" },
	{ "timeout", '\0', "DURATION", false, set_timeout,
		"the longest that a build takes" },
	{ "no-network", '\0', NULL, false, set_no_network,
		"no network in builds" },
	{ "ca-file", '\0', "FILE", false, set_ca_file,
		"authorities for amqps, as PEM" },
	{ "cert-file", '\0', "FILE", false, set_cert_file,
		"our certificate for amqps, as PEM" },
	{ "key-file", '\0', "FILE", false, set_key_file, "and its key" },
	{ "help", 'h', NULL, false, set_help, "this text" },
	{ "version", '\0', NULL, false, set_version, "the version" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* `--work-dir` has the variable BUILDR_WORK_DIR. */
static void variable_of(const struct row *row, char *name, size_t size)
{
	(void)snprintf(name, size, "BUILDR_%s", row->name);
	for (char *at = name; *at != '\0'; at++)
		*at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
}

static bool is_off(const char *text)
{
	return text[0] == '\0' || !strcmp(text, "0") || !strcmp(text, "false");
}

/* Each line of a list is a value. */
static bool read_lines(const struct row *row, struct options *options,
	const char *text, struct br_err *err)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *line = br_arena_memdup(&options->arena, text, len);

		if (len > 0 && !row->set(options, line, err))
			return false;
		text += len + (text[len] == '\n' ? 1 : 0);
	}
	return true;
}

static bool read_variable(
	const struct row *row, struct options *options, struct br_err *err)
{
	char name[64];

	variable_of(row, name, sizeof(name));
	const char *value = getenv(name);
	if (!value || is_off(value) || row->set == set_help ||
		row->set == set_version)
		return true;
	return (row->is_list ? read_lines(row, options, value, err)
			     : row->set(options, value, err)) ||
		br_wrap(err, "%s", name);
}

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

static bool read_arguments(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	struct getopt_form form;
	int index = 0;

	make_getopt_form(&form);
	opterr = 0;
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
		if (!find_row(result, index)->set(options, optarg, err))
			return false;
	}
	return optind == argc ||
		br_fail(err, BR_EINPUT, "'%s' is no option", argv[optind]);
}

static void fill_in(struct options *options)
{
	struct agent_options *agent = &options->agent;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname host = { 0 };

	(void)uname(&host);
	if (!agent->broker)
		agent->broker = "amqp://guest:guest@127.0.0.1:5672/";
	if (!agent->queue)
		agent->queue = "build_queue";
	if (!agent->name)
		agent->name = br_arena_strdup(&options->arena, host.nodename);
	if (!agent->work_dir)
		agent->work_dir = "/var/lib/buildr";
	if (agent->jobs == 0)
		agent->jobs = processors > 0 ? (unsigned)processors : 1;
}

bool options_parse(
	int argc, char **argv, struct options *options, struct br_err *err)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!read_variable(&rows[i], options, err))
			return false;
	if (!read_arguments(argc, argv, options, err))
		return false;
	fill_in(options);
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
	for (size_t i = 0; i < ROWS; i++) {
		br_autobuf struct br_buf left = { 0 };

		if (rows[i].letter != '\0')
			br_buf_addf(&left, "-%c, ", rows[i].letter);
		br_buf_addf(&left, "--%s%s%s", rows[i].name,
			rows[i].value_name ? " " : "",
			rows[i].value_name ? rows[i].value_name : "");
		br_buf_addf(
			text, "  %-28s %s\n", br_buf_text(&left), rows[i].help);
	}
}
