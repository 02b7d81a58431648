/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of buildr, read into a struct.
 *
 * What options there are is the table in option_rows.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "run/run.h"

/* Bits, so that an option can name all commands that take it. */
enum command {
	COMMAND_RUN = 1 << 0,
	COMMAND_CHECK = 1 << 1,
	COMMAND_PLAN = 1 << 2,
	COMMAND_GC = 1 << 3,
	COMMAND_SUBMIT = 1 << 4,
	COMMAND_CANCEL = 1 << 5,
	COMMAND_WATCH = 1 << 6,
	COMMAND_SHELL = 1 << 7,
	COMMAND_INIT = 1 << 8,
	COMMAND_DOCTOR = 1 << 9,
	COMMAND_COMPLETION = 1 << 10,
	/* `help plan` is `plan --help`, and no command is ever this one. */
	COMMAND_HELP = 1 << 11,
	COMMAND_LOG = 1 << 12,
	COMMAND_EVENTS = 1 << 13,
	COMMAND_WHY = 1 << 14,
	COMMAND_CACHE = 1 << 15,
};

/* What speaks to a broker, which another program does: see farm.c. */
enum { COMMANDS_FARM = COMMAND_SUBMIT | COMMAND_CANCEL | COMMAND_WATCH };

/* What sets buildr up, and runs nothing. */
enum {
	COMMANDS_TOOL = COMMAND_INIT | COMMAND_DOCTOR | COMMAND_COMPLETION |
		COMMAND_HELP,
};

/* What shows logs. */
enum { COMMANDS_LOG = COMMAND_LOG | COMMAND_EVENTS };

enum output {
	OUTPUT_AUTO,
	OUTPUT_LIVE,
	OUTPUT_PLAIN,
	OUTPUT_JSON,
	OUTPUT_QUIET,
	OUTPUT_TEXT,
	OUTPUT_DOT,
	OUTPUT_MERMAID,
};

/* The values of an option that can be repeated. The array is owned. */
struct option_list {
	const char **items;
	size_t count;
	size_t capacity;
};

/*
 * All zero: nothing given. Strings are borrowed from argv, from the environment
 * or from `arena`.
 */
struct options {
	enum command command;
	bool is_help;
	bool is_version;
	const char *path;
	const char *file;
	const char *docker_sock;
	const char *image;
	/* The build of which `gc` removes what was kept, or `all`. */
	const char *kept;
	struct option_list env;
	/* Names of stages or globs: --only, --from, --skip. */
	struct option_list only;
	struct option_list from;
	struct option_list skip;
	const char *event;
	const char *base;
	enum br_pull pull;
	enum output output;
	enum br_wire_kind wire;
	/* 0: none. */
	int64_t timeout_ms;
	int64_t grace_ms;
	/* 0: the processors. */
	int64_t jobs;
	const char *junit;
	/* Of the project's logs; 0: this build leaves none. */
	int64_t log_builds;
	int64_t log_bytes;
	const char *commit;
	const char *id;
	/* --label, and --stage of a job. */
	struct option_list labels;
	struct option_list job_stages;
	const char *broker;
	const char *queue;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	bool is_wait;
	bool is_detached;
	bool is_everywhere;
	bool has_submodules;
	bool has_lfs;
	bool is_fail_fast;
	bool is_shell_on_fail;
	bool is_kept;
	/* Run what the stage needs before its shell. */
	bool has_needs;
	bool is_grouped;
	bool is_no_cache;
	bool is_verify_cache;
	bool is_remote_cache_read_only;
	bool is_dry_run;
	bool is_list;
	bool is_watch;
	/* A build of --watch: see rerun_build.h. */
	bool is_watched;
	/* What changed, for it; NULL: git knows. */
	const struct br_plan_names *changed;
	/* Another stage cache, a URL that was checked; NULL: none. */
	const char *remote_cache;
	/* What it is to be told, and whom it is to be signed by; NULL: nothing, the system's. */
	const char *remote_cache_token;
	const char *remote_cache_ca;
	/* What a build leaves in the stage cache, as br_prune_start() takes it; -1: no limit. */
	int64_t cache_bytes;
	int64_t cache_age_ms;
	/* What `cache prune` leaves of it; -1: no limit. */
	int64_t max_size_bytes;
	int64_t max_age_ms;
	int64_t min_free_bytes;
	/* Of a log. */
	bool is_followed;
	bool is_failed_only;
	bool is_verbose;
	bool is_quiet;
	/* Of COMMAND_DOCTOR: what is wrong with the file of options; BR_OK: nothing. */
	struct br_err file_err;
	/* Names of stages or globs, or what a command takes: the rest of argv. */
	const char *const *stages;
	size_t stage_count;
	/* The rest of argv, values of the file, lines of variables that hold several. */
	struct br_arena arena;
};

/*
 * Read the file, the environment and then the arguments; each is stronger than those before
 * it (option_sources.h).
 *
 * Ownership: the caller frees what it holds with options_done(), also after a
 * failure. Fails with BR_EINPUT, with a hint in the text.
 */
bool options_parse(int argc, char **argv, struct options *options,
	struct br_err *err) BR_MUST_CHECK;

/* Free what `options` holds. */
void options_done(struct options *options);

/*
 * Add the text of --help, made from the tables: of `command`, where that has a help
 * of its own, or else of all that is done here.
 */
void options_help(enum command command, struct br_buf *text);
