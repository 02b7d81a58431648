/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what will happen, decided before anything does.
 *
 * A plan is the manifest with the options, the caller's environment and the
 * selection applied. It is immutable, and running it needs no second look at the
 * manifest. Everything in it lives in its arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/durations.h"

/* Where the project is inside every container (manifest.md). */
#define BR_PLAN_PROJECT_MOUNT "/app"

struct br_plan_step {
	/* Counts from 1. */
	unsigned number;
	/* For the shell; NULL for the exec form. */
	const char *text;
	/* The exec form, NULL-terminated; NULL for a shell step. */
	const char *const *argv;
	/* What people see: `text`, or argv quoted as a shell would take it. */
	const char *command;
	/* Line in the manifest. */
	unsigned line;
};

/* Why a stage of the plan does not run. Names are the contract's. */
enum br_skip {
	BR_SKIP_NOT,
	BR_SKIP_SELECTION,
	BR_SKIP_WHEN,
};

/* Indexes, of stages or of services. In the plan's arena. */
struct br_plan_indexes {
	size_t *items;
	size_t count;
};

/*
 * A stage of the manifest: one stage of the plan, or one for each combination of
 * its matrix. Needs are between groups, so that two large matrices make no grid of
 * a million edges. All wait for `prepare` too, which is named as a need only where
 * there is no other.
 */
struct br_plan_group {
	/* As the manifest has it: `test`. */
	const char *name;
	/* Its stages: they stand side by side in the plan. */
	size_t first;
	size_t count;
	/* Groups that must have passed, and groups that need this one. */
	struct br_plan_indexes needs;
	struct br_plan_indexes dependents;
};

/* A service: a container beside the stages that use it. */
struct br_plan_service {
	/* Unique in the plan. */
	const char *alias;
	const char *image;
	/* Instead of the image's CMD; NULL-terminated; NULL: the image's. */
	const char *const *command;
	/* NAME=VALUE, each name once, NULL-terminated. */
	const char *const *environment;
	enum br_ready ready;
	unsigned port;
	const char *const *ready_command;
	int64_t timeout_ms;
	/* The stages that use it; at least one of them runs. */
	struct br_plan_indexes users;
};

struct br_plan_stage {
	/* With the values of its matrix: `test (py=3.12, os=slim)`. */
	const char *name;
	bool is_prepare;
	/* It has no steps, but a shell for somebody to type to. */
	bool is_shell;
	enum br_skip skip;
	/* Why it runs or not, in words, for `plan`. */
	const char *why;
	/* Index of the plan's group that it is of. */
	size_t group;
	enum br_when_status status;
	/* The manifest's or its own; then it has a container of its own. */
	const char *image;
	bool has_own_image;
	/* Indexes into the plan's services. */
	struct br_plan_indexes services;
	bool has_tty;
	struct br_retry retry;
	/* The longest path from its start to the end, estimated, in ms. */
	int64_t path_ms;
	struct br_plan_step *steps;
	size_t step_count;
	/*
	 * Over the image's own environment: NAME=VALUE, each name once,
	 * NULL-terminated. Without BR_PLAN's built-in ones that only the run
	 * knows (BUILDR_BUILD_ID), which the run adds.
	 */
	const char *const *environment;
	/* Absolute. */
	const char *workdir;
	/* `uid`, `uid:gid` or a name; NULL: the image's. */
	const char *user;
	/* It was `host`: `user` is the caller's numbers on the host. */
	bool is_host_user;
	/* NULL-terminated; never NULL. */
	const char *const *shell;
	/* 0: none. */
	int64_t timeout_ms;
	struct br_allow_failure allow_failure;
	/* Its result may be stored, and be taken from the stage cache. */
	bool is_cached;
	/* Globs, NULL-terminated; never NULL. */
	const char *const *inputs;
	const char *const *outputs;
	/* Of `prepare`: how long its state is kept; 0: not at all. */
	int64_t kept_ms;
};

struct br_plan {
	struct br_arena arena;
	const char *project_dir;
	/* The manifest as the user would name it. */
	const char *manifest;
	const char *image;
	/*
	 * `prepare` first, each after those that it needs, otherwise as the
	 * manifest lists them; skipped ones too.
	 */
	struct br_plan_stage *stages;
	size_t stage_count;
	struct br_plan_group *groups;
	size_t group_count;
	struct br_plan_service *services;
	size_t service_count;
	/* Values to be masked; longest first, without duplicates. */
	struct br_str *secrets;
	size_t secret_count;
	bool has_docker;
	int64_t memory_bytes;
	int64_t cpus_nano;
	int64_t pids;
	const char *network;
	/* The caller; files that the build makes are given to it if not root. */
	uid_t caller_uid;
	gid_t caller_gid;
	/* Things worth a notice when the build starts; NULL-terminated. */
	const char *const *warnings;
	/* Where the project is a git work tree, else NULL. */
	const char *git_commit;
	const char *git_branch;
	const char *git_tag;
};

/* Borrowed; `items` may be NULL where there are none. */
struct br_plan_names {
	const char *const *items;
	size_t count;
};

struct br_plan_options {
	/* --image; NULL: the manifest's. */
	const char *image;
	/* -e NAME=VALUE (or NAME), in order. */
	const char *const *env;
	size_t env_count;
	/*
	 * Names of stages, or globs that match some, from the command line: to run
	 * with what they need; to run without; to run with all that need them; to
	 * leave out.
	 */
	struct br_plan_names selection;
	struct br_plan_names only;
	struct br_plan_names from;
	struct br_plan_names skip;
	/*
	 * The stage that `selection` or `only` names is a shell; where neither names
	 * one, a shell in the build's container is all that runs after `prepare`.
	 */
	bool is_shell;
	/* --event, for `when`; NULL: `manual`. */
	const char *event;
	/* --base, for `when: changes`; NULL: found, see changes.h. */
	const char *base;
	/* What has changed, below the project; NULL: git says it. */
	const struct br_plan_names *changed;
	/* Of earlier builds; NULL: none. */
	const struct br_durations *durations;
	/* The caller's environment, as environ(7). */
	const char *const *environment;
	/* A warning of the caller's own, told with the plan's; NULL: none. */
	const char *note;
	uid_t caller_uid;
	gid_t caller_gid;
};

/*
 * Build the plan.
 *
 * Mistakes that can only be seen with the environment (a missing secret, a bad
 * dotenv file) go to `diags`, which has been started by br_manifest_load(); where
 * it has errors afterwards, *plan is NULL and the call a success.
 *
 * Ownership: the caller frees *plan with br_plan_free(). Nothing in it points
 * into `manifest` or `options`. Fails with BR_EINPUT for an option that makes no
 * sense: an unknown stage (with a suggestion), several for a shell, a bad --image or
 * -e.
 */
bool br_plan_build(const struct br_manifest *manifest,
	const struct br_plan_options *options, struct br_diags *diags,
	struct br_plan **plan, struct br_err *err) BR_MUST_CHECK;

/* Free a plan, which may be NULL. */
void br_plan_free(struct br_plan *plan);

BR_DEFINE_AUTO(br_plan)

enum br_plan_format {
	BR_PLAN_FORMAT_TEXT,
	BR_PLAN_FORMAT_JSON,
	BR_PLAN_FORMAT_DOT,
	BR_PLAN_FORMAT_MERMAID,
};

/* Add the plan in words, as JSON or as a graph for Graphviz or Mermaid. */
void br_plan_format(const struct br_plan *plan, enum br_plan_format format,
	struct br_buf *text);
