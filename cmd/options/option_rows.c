/* SPDX-License-Identifier: MIT */
#include "cmd/options/option_rows.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cache/remote_place.h"

enum {
	ALL_COMMANDS = COMMAND_RUN | COMMAND_CHECK | COMMAND_PLAN | COMMAND_GC |
		COMMAND_SHELL | COMMANDS_FARM | COMMANDS_TOOL | COMMANDS_LOG |
		COMMAND_CACHE | COMMAND_WHY,
	PLANNING = COMMAND_RUN | COMMAND_PLAN,
	OPENING = COMMAND_RUN | COMMAND_SHELL,
	SHOWING = COMMAND_RUN | COMMAND_SUBMIT,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool option_choose(const char *what, const char *text,
	const struct option_choice *choices, size_t count, int *value,
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

static const struct option_choice pull_choices[] = {
	{ "missing", BR_PULL_MISSING },
	{ "always", BR_PULL_ALWAYS },
	{ "never", BR_PULL_NEVER },
};

static bool set_pull(
	struct options *options, const char *value, struct br_err *err)
{
	int chosen = 0;

	if (!option_choose("--pull", value, pull_choices, COUNT(pull_choices),
		    &chosen, err))
		return false;
	options->pull = (enum br_pull)chosen;
	return true;
}

static const struct option_choice output_choices[] = {
	{ "auto", OUTPUT_AUTO },
	{ "live", OUTPUT_LIVE },
	{ "plain", OUTPUT_PLAIN },
	{ "json", OUTPUT_JSON },
	{ "quiet", OUTPUT_QUIET },
	{ "text", OUTPUT_TEXT },
	{ "dot", OUTPUT_DOT },
	{ "mermaid", OUTPUT_MERMAID },
};

static bool set_output(
	struct options *options, const char *value, struct br_err *err)
{
	int chosen = 0;

	if (!option_choose("--output", value, output_choices,
		    COUNT(output_choices), &chosen, err))
		return false;
	options->output = (enum output)chosen;
	return true;
}

static const struct option_choice wire_choices[] = {
	{ "auto", BR_WIRE_AUTO },
	{ "socket", BR_WIRE_SOCKET },
	{ "stdio", BR_WIRE_STDIO },
};

static bool set_wire(
	struct options *options, const char *value, struct br_err *err)
{
	int chosen = 0;

	if (!option_choose("--wire", value, wire_choices, COUNT(wire_choices),
		    &chosen, err))
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

static bool set_log_builds(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_int(value, 0, 10000, &options->log_builds, err) ||
		br_wrap(err, "--log-builds");
}

static bool set_log_size(
	struct options *options, const char *value, struct br_err *err)
{
	/* Here nothing at all makes sense. */
	if (!strcmp(value, "0")) {
		options->log_bytes = 0;
		return true;
	}
	return br_parse_size(value, &options->log_bytes, err) ||
		br_wrap(err, "--log-size");
}

/* Here nothing at all makes sense. */
static bool parse_size(const char *value, int64_t *size_bytes, const char *name,
	struct br_err *err)
{
	if (!strcmp(value, "0")) {
		*size_bytes = 0;
		return true;
	}
	return br_parse_size(value, size_bytes, err) ||
		br_wrap(err, "--%s", name);
}

static bool set_max_size(
	struct options *options, const char *value, struct br_err *err)
{
	return parse_size(value, &options->max_size_bytes, "max-size", err);
}

static bool set_min_free(
	struct options *options, const char *value, struct br_err *err)
{
	return parse_size(value, &options->min_free_bytes, "min-free", err);
}

static bool set_max_age(
	struct options *options, const char *value, struct br_err *err)
{
	return br_parse_duration(value, &options->max_age_ms, err) ||
		br_wrap(err, "--max-age");
}

/* Nothing and without end make sense too. */
static bool set_cache_size(
	struct options *options, const char *value, struct br_err *err)
{
	if (!strcmp(value, "unlimited")) {
		options->cache_bytes = -1;
		return true;
	}
	return parse_size(value, &options->cache_bytes, "cache-size", err);
}

static bool set_cache_age(
	struct options *options, const char *value, struct br_err *err)
{
	if (!strcmp(value, "unlimited")) {
		options->cache_age_ms = -1;
		return true;
	}
	return br_parse_duration(value, &options->cache_age_ms, err) ||
		br_wrap(err, "--cache-age");
}

/* Without a value there is none: what the file says can be taken back. */
static bool set_remote_cache(
	struct options *options, const char *value, struct br_err *err)
{
	if (value[0] != '\0' && !br_remote_check_url(value, err))
		return br_wrap(err, "--remote-cache");
	options->remote_cache = value[0] != '\0' ? value : NULL;
	return true;
}

static bool set_remote_cache_token(
	struct options *options, const char *value, struct br_err *err)
{
	if (!br_remote_check_token(value, err))
		return br_wrap(err, "--remote-cache-token");
	options->remote_cache_token = value;
	return true;
}

/* Where the value of a row goes. */
#define SWITCH(member) OPTION_SWITCH, offsetof(struct options, member)
#define TEXT(member) OPTION_TEXT, offsetof(struct options, member)
#define LIST(member) OPTION_LIST, offsetof(struct options, member)
#define NAMES(member) OPTION_NAMES, offsetof(struct options, member)
#define VALUE(function) OPTION_VALUE, 0, (function)
#define CHOICES(table) .choices = (table), .choice_count = COUNT(table)

const struct option_row option_rows[OPTION_ROWS] = {
	{ "path", 'C', "DIR", ALL_COMMANDS, TEXT(path),
		.unlisted = COMMANDS_FARM | COMMAND_COMPLETION,
		.help = "where the project is; the manifest is looked for from "
			"here up" },
	{ "file", 'f', "FILE", ALL_COMMANDS, TEXT(file),
		.unlisted = COMMANDS_FARM | COMMANDS_TOOL,
		.help = "the manifest" },
	{ "docker-sock", 'H', "ADDRESS", ALL_COMMANDS, TEXT(docker_sock),
		.unlisted = COMMANDS_FARM | COMMANDS_LOG | COMMAND_INIT |
			COMMAND_COMPLETION,
		.help = "the engine: unix:///path or tcp://host:port" },
	{ "only", '\0', "STAGE", PLANNING, NAMES(only),
		.help = "run this stage, without what it needs" },
	{ "from", '\0', "STAGE", PLANNING, NAMES(from),
		.help = "run this stage and all that need it" },
	{ "skip", '\0', "STAGE", PLANNING | COMMAND_WHY, NAMES(skip),
		.help = "leave this stage out" },
	{ "env", 'e', "NAME=VALUE",
		PLANNING | COMMAND_SHELL | COMMAND_SUBMIT | COMMAND_WHY,
		LIST(env), .without_variable = COMMAND_SUBMIT,
		.help = "a variable of every step; NAME alone passes the "
			"caller's" },
	{ "image", '\0', "IMAGE", PLANNING | COMMAND_SHELL | COMMAND_WHY,
		TEXT(image), .help = "instead of the manifest's image" },
	{ "event", '\0', "NAME", PLANNING | COMMAND_SHELL | COMMAND_WHY,
		TEXT(event),
		.help = "what 'when: event' compares with; default: manual" },
	{ "base", '\0', "COMMIT", PLANNING | COMMAND_SHELL | COMMAND_WHY,
		TEXT(base),
		.help = "what 'when: changes' compares with; default: where the "
			"branch began" },
	{ "pull", '\0', "WHEN", OPENING, VALUE(set_pull), CHOICES(pull_choices),
		.help = "pull images: missing (default), always or never" },
	{ "output", 'o', "FORM",
		SHOWING | COMMAND_CHECK | COMMAND_PLAN | COMMAND_WATCH |
			COMMAND_DOCTOR | COMMAND_LOG | COMMAND_CACHE |
			COMMAND_WHY,
		VALUE(set_output), CHOICES(output_choices),
		/* BUILDR_OUTPUT means `run`, and must not break the others. */
		.without_variable = COMMAND_CHECK | COMMAND_PLAN |
			COMMAND_WATCH | COMMAND_DOCTOR | COMMAND_LOG |
			COMMAND_CACHE | COMMAND_WHY,
		.help = "live, plain, json, quiet; plan: text, json, dot, mermaid; "
			"check, doctor, cache, why: text, json" },
	{ "group", '\0', NULL, SHOWING | COMMAND_LOG, SWITCH(is_grouped),
		.without_variable = COMMAND_LOG,
		.help = "print each stage as a block when it ends" },
	{ "jobs", 'j', "N", OPENING, VALUE(set_jobs),
		.help = "stages at once; default: one for each processor" },
	{ "fail-fast", '\0', NULL, COMMAND_RUN, SWITCH(is_fail_fast),
		.help = "when a stage fails, stop the others too" },
	{ "no-cache", '\0', NULL, COMMAND_RUN, SWITCH(is_no_cache),
		.help = "ignore and do not write the stage cache" },
	{ "verify-cache", '\0', NULL, COMMAND_RUN, SWITCH(is_verify_cache),
		.help = "run stages that the cache has too, and compare" },
	{ "cache-size", '\0', "SIZE", COMMAND_RUN, VALUE(set_cache_size),
		.help = "keep so much of the stage cache, like 500m; default: "
			"10g" },
	{ "cache-age", '\0', "DURATION", COMMAND_RUN, VALUE(set_cache_age),
		.help = "and only what was used in that time; default: 30d" },
	{ "dry-run", '\0', NULL, COMMAND_RUN | COMMAND_INIT | COMMAND_CACHE,
		SWITCH(is_dry_run),
		.without_variable = COMMAND_INIT | COMMAND_CACHE,
		.help = "print the plan and run nothing; init: print it and "
			"write nothing; cache: remove nothing" },
	{ "max-size", '\0', "SIZE", COMMAND_CACHE, VALUE(set_max_size),
		.without_variable = COMMAND_CACHE,
		.help = "prune: keep at most so much, like 5g" },
	{ "max-age", '\0', "DURATION", COMMAND_CACHE, VALUE(set_max_age),
		.without_variable = COMMAND_CACHE,
		.help = "prune: remove what was not used for so long, like 7d" },
	{ "min-free", '\0', "SIZE", COMMAND_CACHE, VALUE(set_min_free),
		.without_variable = COMMAND_CACHE,
		.help = "prune: until so much of the file system is free" },
	{ "list", '\0', NULL, COMMAND_INIT, SWITCH(is_list),
		.without_variable = COMMAND_INIT,
		.help = "print what TEMPLATE can be" },
	{ "watch", '\0', NULL, COMMAND_RUN, SWITCH(is_watch),
		.help = "run again, whenever files change, what that concerns" },
	{ "timeout", '\0', "DURATION", COMMAND_RUN, VALUE(set_timeout),
		.help = "for the whole build, like 90s, 20m or 2h" },
	{ "grace", '\0', "DURATION", OPENING, VALUE(set_grace),
		.help = "between SIGTERM and SIGKILL of a step; default: 10s" },
	{ "wire", '\0', "KIND", OPENING, VALUE(set_wire), CHOICES(wire_choices),
		.help = "how to speak to containers: auto (default), socket or "
			"stdio" },
	{ "log-builds", '\0', "N", COMMAND_RUN, VALUE(set_log_builds),
		.help = "keep the logs of so many builds of the project; "
			"default: 50" },
	{ "log-size", '\0', "SIZE", COMMAND_RUN, VALUE(set_log_size),
		.help = "and as much of them, like 500m; default: 1g" },
	{ "follow", '\0', NULL, COMMANDS_LOG, SWITCH(is_followed),
		.without_variable = COMMANDS_LOG,
		.help = "log, events: go on until the build ends" },
	{ "failed", '\0', NULL, COMMAND_LOG, SWITCH(is_failed_only),
		.without_variable = COMMAND_LOG,
		.help = "log: only stages that failed; without BUILD, only "
			"builds that did" },
	/*
	 * What a job is like is said where it is submitted: BUILDR_STAGE and such
	 * are set in steps, BUILDR_LABEL means the agent.
	 */
	{ "commit", '\0', "COMMIT", COMMAND_SUBMIT, TEXT(commit),
		.without_variable = COMMAND_SUBMIT,
		.help = "build this one, which must be on the branch" },
	{ "label", '\0', "NAME", COMMAND_SUBMIT, LIST(labels),
		.without_variable = COMMAND_SUBMIT,
		.help = "only on agents that have it; can be repeated" },
	{ "stage", '\0', "STAGE", COMMAND_SUBMIT, LIST(job_stages),
		.without_variable = COMMAND_SUBMIT,
		.help = "run this stage and what it needs; can be repeated" },
	{ "submodules", '\0', NULL, COMMAND_SUBMIT, SWITCH(has_submodules),
		.without_variable = COMMAND_SUBMIT,
		.help = "with the repository's submodules, and theirs" },
	{ "lfs", '\0', NULL, COMMAND_SUBMIT, SWITCH(has_lfs),
		.without_variable = COMMAND_SUBMIT,
		.help = "with its files of Git LFS" },
	{ "id", '\0', "UUID", COMMAND_SUBMIT, TEXT(id),
		.without_variable = COMMAND_SUBMIT,
		.help = "the build's id; default: a new one" },
	{ "wait", '\0', NULL, COMMAND_SUBMIT, SWITCH(is_wait),
		.without_variable = COMMAND_SUBMIT,
		.help = "show the build and end as it does; the default on a "
			"terminal" },
	{ "detach", '\0', NULL, COMMAND_SUBMIT, SWITCH(is_detached),
		.without_variable = COMMAND_SUBMIT,
		.help = "print the build's id and end; the default elsewhere" },
	{ "everywhere", '\0', NULL, COMMAND_SUBMIT, SWITCH(is_everywhere),
		.without_variable = COMMAND_SUBMIT,
		.help = "to every agent that is connected: a build each" },
	{ "broker", '\0', "URL", COMMANDS_FARM | COMMAND_DOCTOR, TEXT(broker),
		.help = "amqp[s]://user:password@host:port/vhost; better in "
			"BUILDR_BROKER" },
	{ "queue", '\0', "NAME", COMMAND_SUBMIT, TEXT(queue),
		.help = "where the agents' jobs are; default: build_queue" },
	{ "ca-file", '\0', "FILE", COMMANDS_FARM | COMMAND_DOCTOR,
		TEXT(ca_file), .help = "authorities for amqps, as PEM" },
	{ "cert-file", '\0', "FILE", COMMANDS_FARM | COMMAND_DOCTOR,
		TEXT(cert_file), .help = "our certificate for amqps, as PEM" },
	{ "key-file", '\0', "FILE", COMMANDS_FARM | COMMAND_DOCTOR,
		TEXT(key_file), .help = "and its key" },
	{ "verbose", 'v', NULL, ALL_COMMANDS, SWITCH(is_verbose),
		.help = "say more" },
	{ "quiet", 'q', NULL, ALL_COMMANDS, SWITCH(is_quiet),
		.help = "only what went wrong; as -o quiet" },
	{ "remote-cache", '\0', "URL", COMMAND_RUN, VALUE(set_remote_cache),
		.help = "a server with another stage cache: "
			"http[s]://[user:password@]host[:port][/path]" },
	{ "remote-cache-token", '\0', "TOKEN", COMMAND_RUN,
		VALUE(set_remote_cache_token),
		.help = "what it wants to hear; better in "
			"BUILDR_REMOTE_CACHE_TOKEN" },
	{ "remote-cache-ca", '\0', "FILE", COMMAND_RUN, TEXT(remote_cache_ca),
		.help = "its authorities, as PEM; default: the system's" },
	{ "remote-cache-read-only", '\0', NULL, COMMAND_RUN,
		SWITCH(is_remote_cache_read_only),
		.help = "take results from it, and send none" },
	{ "keep", '\0', NULL, COMMAND_RUN, SWITCH(is_kept),
		.help = "when a stage has failed, leave its container running" },
	{ "shell-on-fail", '\0', NULL, COMMAND_RUN, SWITCH(is_shell_on_fail),
		.help = "when a stage has failed, open a shell in its container" },
	{ "kept", '\0', "BUILD", COMMAND_GC, TEXT(kept),
		.help = "gc: also what --keep has left of this build, or of all" },
	{ "needs", '\0', NULL, COMMAND_SHELL, SWITCH(has_needs),
		.help = "run what the stage needs before its shell" },
	{ "junit", '\0', "FILE", COMMAND_RUN | COMMAND_LOG, TEXT(junit),
		.without_variable = COMMAND_LOG,
		.help = "write a JUnit report, a test case for each step" },
	{ "help", 'h', NULL, ALL_COMMANDS, SWITCH(is_help),
		.without_variable = ALL_COMMANDS, .help = "this text" },
	{ "version", '\0', NULL, ALL_COMMANDS, SWITCH(is_version),
		.without_variable = ALL_COMMANDS, .help = "the version" },
};

const struct command_row command_rows[COMMAND_ROWS] = {
	{ "run", COMMAND_RUN,
		"run the manifest; with names, those stages and "
		"what they need" },
	{ "check", COMMAND_CHECK, "read the manifest and report every mistake",
		"" },
	{ "plan", COMMAND_PLAN,
		"the graph of stages, and why each would run or not",
		"[STAGE...]",
		"STAGE is a name or a pattern, as 'test*'; --only, --from and "
		"--skip can be repeated.\n" },
	{ "gc", COMMAND_GC, "remove what dead builds left behind", "" },
	{ "init", COMMAND_INIT, "write a manifest for the project at hand",
		"[TEMPLATE...]",
		"Without TEMPLATE the project's files tell what it is. What is "
		"there is never\noverwritten.\n" },
	{ "shell", COMMAND_SHELL, "a shell where a stage would run", "[STAGE]",
		"Without STAGE: in the build's container, after 'prepare'. "
		"Commands are read\nfrom stdin where that is no terminal.\n" },
	{ "log", COMMAND_LOG,
		"list the builds of the project, or show one again",
		"[BUILD [STAGE...]]",
		"BUILD is an id, the start of one, or @1 for the newest, @2 for "
		"the one before it.\nSTAGE is a name or a pattern, as "
		"'test*'.\n" },
	{ "events", COMMAND_EVENTS, "the events of a build as JSON lines",
		"[BUILD [STAGE...]]",
		"BUILD is as for 'buildr log'; default: the newest.\n" },
	{ "doctor", COMMAND_DOCTOR,
		"what buildr finds here, and what to do where it is wrong",
		"" },
	{ "completion", COMMAND_COMPLETION,
		"print a script that completes commands, options and stages",
		"bash|zsh|fish",
		"For this shell alone: source <(buildr completion bash)\n" },
	{ "help", COMMAND_HELP, "the options of a command, as help plan", "" },
	{ "submit", COMMAND_SUBMIT, "put a job on the queue of the agents",
		"REPO [BRANCH]",
		"REPO is what 'git clone' takes, BRANCH a branch or a tag; "
		"without it the\nrepository's own default. What -e gives "
		"stands on the broker as it is.\n" },
	{ "cancel", COMMAND_CANCEL, "stop a build, wherever it runs", "BUILD",
		"BUILD is the id that 'buildr submit' has printed.\n" },
	{ "watch", COMMAND_WATCH, "show every build of the agents", "",
		"A line for each build that starts, stage that ends, and build "
		"that ends;\nwith -o json every event as it is.\n" },
	{ "cache", COMMAND_CACHE,
		"what the stage cache has, and making it smaller",
		"ls|du|prune|rm [STAGE...]",
		"ls lists results, du how much they take; rm removes those of stages of "
		"the project\nat hand. prune without an option keeps 10 GiB, used in "
		"the last 30 days.\n" },
	{ "why", COMMAND_WHY, "what made a stage run again", "STAGE...",
		"What differs from the last run, by name, and what did when the stage ran the\n"
		"last time. Nothing runs, and no engine is asked. STAGE is a name or a pattern,\n"
		"as 'test*'.\n" },
};

unsigned option_output_commands(enum output output)
{
	switch (output) {
	case OUTPUT_AUTO:
	case OUTPUT_JSON:
		return COMMAND_RUN | COMMAND_CHECK | COMMAND_PLAN | COMMAND_GC |
			COMMAND_SHELL | COMMANDS_FARM | COMMANDS_TOOL |
			COMMANDS_LOG | COMMAND_CACHE | COMMAND_WHY;
	case OUTPUT_PLAIN:
		return COMMAND_RUN | COMMAND_SUBMIT | COMMAND_WATCH |
			COMMAND_LOG;
	case OUTPUT_LIVE:
	case OUTPUT_QUIET:
		return COMMAND_RUN | COMMAND_SUBMIT | COMMAND_LOG;
	case OUTPUT_TEXT:
		return COMMAND_CHECK | COMMAND_PLAN | COMMAND_DOCTOR |
			COMMAND_CACHE | COMMAND_WHY;
	case OUTPUT_DOT:
	case OUTPUT_MERMAID:
		return COMMAND_PLAN;
	}
	return 0;
}

bool option_fits(const struct option_row *row,
	const struct option_choice *choice, enum command command)
{
	return row->choices != output_choices ||
		(option_output_commands((enum output)choice->value) & command);
}

void option_list_choices(
	const struct option_row *row, enum command command, struct br_buf *text)
{
	const char *between = "";

	for (size_t i = 0; i < row->choice_count; i++) {
		if (!option_fits(row, &row->choices[i], command))
			continue;
		br_buf_addf(text, "%s%s", between, row->choices[i].name);
		between = ", ";
	}
}

const char *command_name(enum command command)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		if (command_rows[i].command == command)
			return command_rows[i].name;
	return "";
}

static void *member_of(const struct option_row *row, struct options *options)
{
	return (char *)options + row->offset;
}

static void add_to_list(struct option_list *list, const char *value)
{
	list->items = br_grow(list->items, list->count, &list->capacity,
		sizeof(*list->items));
	list->items[list->count++] = value;
}

bool option_set(const struct option_row *row, struct options *options,
	const char *value, struct br_err *err)
{
	switch (row->kind) {
	case OPTION_SWITCH:
		*(bool *)member_of(row, options) = true;
		return true;
	case OPTION_TEXT:
		*(const char **)member_of(row, options) = value;
		return true;
	case OPTION_LIST:
	case OPTION_NAMES:
		add_to_list(member_of(row, options), value);
		return true;
	case OPTION_VALUE:
		return row->set(options, value, err);
	}
	return true;
}

void option_clear(const struct option_row *row, struct options *options)
{
	if (row->kind == OPTION_SWITCH)
		*(bool *)member_of(row, options) = false;
	else
		((struct option_list *)member_of(row, options))->count = 0;
}
