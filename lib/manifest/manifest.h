/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - a `.buildr.yml` as a value.
 *
 * What the file says, checked and with places, and nothing that is not in it:
 * defaults that depend on options or the environment are the plan's. The grammar
 * is manifest.md's; `schemas/manifest.schema.json` says the same for editors.
 *
 * Everything in a manifest lives in its arena. Strings that the file does not
 * give are NULL, numbers 0, unless a comment says otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "manifest/diag.h"

/* A variable as a file or an option gives it. */
struct br_var {
	const char *name;
	/* NULL: `NAME` alone, which passes the caller's value. */
	const char *value;
	struct br_place place;
};

struct br_vars {
	struct br_var *items;
	size_t count;
};

/*
 * Say whether `name` can be the name of a variable: letters, digits, `_`, `.`
 * and `-`, with a letter or `_` first. Shells only know those without `.` and
 * `-`; other programs know these too.
 */
bool br_var_is_name(struct br_str name);

/* A list of strings with the place of each. */
struct br_text {
	const char *text;
	struct br_place place;
};

struct br_texts {
	struct br_text *items;
	size_t count;
};

struct br_step {
	/* The text for the shell; NULL for the exec form. */
	const char *text;
	/* The exec form: NULL-terminated; NULL for a shell step. */
	const char *const *argv;
	/* Of the `-`, or of the value of a `script` that is one string. */
	struct br_place place;
};

/* `allow_failure`: no, always, or only with these statuses. */
struct br_allow_failure {
	bool is_any;
	uint8_t *statuses;
	size_t status_count;
};

/* When a stage runs, by how those it needs have come out (manifest.md). */
enum br_when_status {
	BR_WHEN_SUCCESS,
	BR_WHEN_FAILURE,
	BR_WHEN_ALWAYS,
};

/* A variable and the globs of which one must match its value. */
struct br_when_env {
	const char *name;
	struct br_texts globs;
};

/* The conditions of a stage. A list of globs that is empty says nothing. */
struct br_when {
	/* Of the key; line 0: there is none. */
	struct br_place place;
	struct br_texts branch;
	struct br_texts tag;
	struct br_texts event;
	struct br_texts changes;
	struct br_when_env *env;
	size_t env_count;
	enum br_when_status status;
};

/* How often a stage is tried again, and after what. */
struct br_retry {
	/* Attempts after the first one; 0: none. */
	unsigned max;
	/* Only after what follows; otherwise after any failure. */
	bool has_conditions;
	bool on_timeout;
	bool on_engine;
	uint8_t *statuses;
	size_t status_count;
	/* Before each further attempt. */
	int64_t delay_ms;
};

/* One key of a matrix and its values, of which there is one at least. */
struct br_axis {
	const char *name;
	struct br_place place;
	struct br_texts values;
};

/* `matrix`; without axes and includes there is none. */
struct br_matrix {
	struct br_place place;
	struct br_axis *axes;
	size_t axis_count;
	/* Each is a combination as a list of variables, all with values. */
	struct br_vars *include;
	size_t include_count;
	struct br_vars *exclude;
	size_t exclude_count;
	/* How many combinations br_matrix_expand() (matrix.h) makes of it. */
	size_t combination_count;
};

/* How it is found out that a service can be used. */
enum br_ready {
	/* By the image's own HEALTHCHECK, else as soon as it was started. */
	BR_READY_IMAGE,
	/* When something listens on the port. */
	BR_READY_PORT,
	/* When the command's status is 0. */
	BR_READY_COMMAND,
};

struct br_service {
	/* Of its item in the list. */
	struct br_place place;
	const char *image;
	/* Its name on the network; of the image's name where none is given. */
	const char *alias;
	/* Instead of the image's CMD; NULL-terminated; NULL: the image's. */
	const char *const *command;
	struct br_vars environment;
	enum br_ready ready;
	/* Of BR_READY_PORT. */
	unsigned port;
	/* Of BR_READY_COMMAND: NULL-terminated. */
	const char *const *ready_command;
	/* Until it must be ready, from its start on; 0: the default. */
	int64_t timeout_ms;
};

struct br_services {
	/* Of the key. */
	struct br_place place;
	struct br_service *items;
	size_t count;
};

struct br_stage {
	const char *name;
	/* Of the key that defines it. */
	struct br_place place;
	struct br_step *steps;
	size_t step_count;
	/* Its own; NULL: it runs in the build's container. */
	const char *image;
	/* As written; without `has_needs` the stage before it in `stages`. */
	bool has_needs;
	struct br_texts needs;
	/*
	 * The same with defaults and without `prepare`: indexes into the
	 * manifest's `stages`, each once, in the order of `needs`. They make no
	 * cycle. A stage that `stages` does not list needs only what it says.
	 */
	size_t *need_indexes;
	size_t need_count;
	struct br_vars environment;
	struct br_when when;
	struct br_retry retry;
	struct br_matrix matrix;
	struct br_services services;
	/* Its steps get a terminal. */
	bool has_tty;
	/* 0: none. */
	int64_t timeout_ms;
	struct br_allow_failure allow_failure;
	/* As written; NULL: the default, `/app`. */
	const char *workdir;
	/* `uid`, `uid:gid`, a name, or `host`; NULL: the image's. */
	const char *user;
	/* NULL-terminated argv of the shell; NULL: `sh`. */
	const char *const *shell;
	/*
	 * Globs of the files that decide its result; there may be none. Without
	 * `has_inputs` it is never taken from the stage cache.
	 */
	bool has_inputs;
	struct br_texts inputs;
	/* Paths and globs of what it produces. */
	struct br_texts outputs;
	/* Its result is neither stored nor taken from the cache. */
	bool is_uncached;
	/* Of `prepare`: how long its state is kept; 0: not at all. */
	int64_t kept_ms;
};

enum br_inherit {
	BR_INHERIT_NONE,
	BR_INHERIT_ALL,
	/* Only names that match one of `inherit_globs`. */
	BR_INHERIT_GLOBS,
};

struct br_manifest {
	struct br_arena arena;
	/* The file as the user would name it, and its project directory. */
	const char *file;
	const char *project_dir;

	const char *image;
	enum br_inherit inherit;
	struct br_texts inherit_globs;
	/* Dotenv files, as written. */
	struct br_texts env_files;
	struct br_vars vars;
	struct br_texts secrets;

	/* All stages that are defined, in the order of the file. */
	struct br_stage *stages;
	size_t stage_count;
	/* `stages`, without `prepare`: indexes into `stages`, in order. */
	size_t *order;
	size_t order_count;
	/*
	 * The stage `prepare`, or NULL. Not among `stages`. As every stage it
	 * starts from `defaults`, but only with their environment, timeout,
	 * retry, workdir, user and shell: it has no other key.
	 */
	struct br_stage *prepare;

	/* What every stage starts from. */
	struct br_stage defaults;

	/* The engine's socket in the containers; false only where said so. */
	bool has_docker;
	bool is_docker_given;
	/* 0: no limit. */
	int64_t memory_bytes;
	int64_t cpus_nano;
	int64_t pids;
	/* `bridge`, `none`, `host` or a network's name; NULL: `bridge`. */
	const char *network;
};

/*
 * Find the manifest from `folder` upwards: the first of `.buildr`,
 * `.buildr.yml`, `.buildr.yaml` in it or in a parent. Links are followed.
 *
 * A directory named `.buildr` is passed over, since projects use the name for
 * other things; where nothing else is found it is the error. A directory in the
 * place of the other two is an error at once.
 *
 * Gives its absolute path. Ownership: the caller frees *path with free().
 * Fails with BR_ENOTFOUND where there is none up to the root, and with
 * BR_EINPUT where `folder` is no directory, or for a directory or a link to
 * nothing in the place of a manifest.
 */
bool br_manifest_find(
	const char *folder, char **path, struct br_err *err) BR_MUST_CHECK;

/*
 * Read the manifest file `path`, shown to the user as `shown_as`.
 *
 * `diags` (all zero) gets every mistake and warning, sorted. Where it has an
 * error, *manifest is NULL, and the call is a success all the same: the mistakes
 * are its result. Stages, names, types and values are all checked.
 *
 * Ownership: the caller frees *manifest with br_manifest_free() and `diags` with
 * br_diags_done(); for as long as *manifest lives more may be added to `diags`,
 * with source lines. The project directory is that of `path`, made absolute.
 * Limits: BR_LIMIT_MANIFEST_*. Fails with BR_ENOTFOUND, BR_EINPUT (a directory,
 * too large) or BR_ESYSTEM where the file cannot be read; `diags` is empty then.
 */
bool br_manifest_load(const char *path, const char *shown_as,
	struct br_manifest **manifest, struct br_diags *diags,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Find and load the manifest that `-C folder -f file` means: `file`, relative to
 * `folder`, or what br_manifest_find() finds where `file` is NULL. A NULL `folder`
 * is the working directory, and a path in it is shown without it.
 *
 * Ownership: as br_manifest_load(). Fails as br_manifest_find() and
 * br_manifest_load().
 */
bool br_manifest_open(const char *folder, const char *file,
	struct br_manifest **manifest, struct br_diags *diags,
	struct br_err *err) BR_MUST_CHECK;

/*
 * br_manifest_load() from text. `project_dir` is copied as it is.
 *
 * Ownership: as br_manifest_load(); `diags->source` borrows `text`.
 */
void br_manifest_parse(struct br_str text, const char *shown_as,
	const char *project_dir, struct br_manifest **manifest,
	struct br_diags *diags);

/* Free a manifest, which may be NULL. */
void br_manifest_free(struct br_manifest *manifest);

BR_DEFINE_AUTO(br_manifest)
