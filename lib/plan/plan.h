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
};

struct br_plan_stage {
	const char *name;
	bool is_prepare;
	enum br_skip skip;
	/* Why it runs or not, in words, for `plan`. */
	const char *why;
	/* Names of the stages that must have passed; NULL-terminated. */
	const char *const *needs;
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
};

struct br_plan {
	struct br_arena arena;
	const char *project_dir;
	/* The manifest as the user would name it. */
	const char *manifest;
	const char *image;
	/* In the order in which they run, `prepare` first; skipped ones too. */
	struct br_plan_stage *stages;
	size_t stage_count;
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

struct br_plan_options {
	/* --image; NULL: the manifest's. */
	const char *image;
	/* -e NAME=VALUE (or NAME), in order. */
	const char *const *env;
	size_t env_count;
	/* The names on the command line. */
	const char *const *selection;
	size_t selection_count;
	/* The caller's environment, as environ(7). */
	const char *const *environment;
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
 * sense: an unknown stage (with a suggestion), a bad --image or -e.
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
};

/* Add the plan in words, as JSON or as a Graphviz graph to `text`. */
void br_plan_format(const struct br_plan *plan, enum br_plan_format format,
	struct br_buf *text);
