/* SPDX-License-Identifier: MIT */
/*
 * environ.h - the environment of each stage.
 *
 * A variable can be defined at several levels; the highest that gives a value
 * decides (manifest.md, "Environment, weakest first"), and of two definitions at
 * one level the last. `NAME` alone gives the caller's value where there is one,
 * and is no definition otherwise.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/entries.h"
#include "plan/git.h"
#include "plan/notes.h"
#include "plan/plan.h"
#include "plan/secrets.h"

/* All borrowed until the environments are built. */
struct br_environ_source {
	const struct br_manifest *manifest;
	const struct br_plan_options *options;
	const struct br_git *git;
	/* Where everything that is built lives. */
	struct br_arena *arena;
	struct br_notes *notes;
	struct br_diags *diags;
};

/* Starts out all zero, then br_environ_init(). Private but for `secrets`. */
struct br_environ {
	struct br_environ_source source;
	/* Inherited, from files and from `vars`: below what a stage says. Sorted. */
	struct br_environ_entries below;
	/* `-e`: above it. */
	struct br_environ_entries above;
	/* Above all, and the same for each stage. */
	struct br_environ_entries built_in;
	/* With all values of all stages. */
	struct br_secrets secrets;
};

/*
 * Gather what all stages share, reading the dotenv files, and the values of all
 * secrets. Mistakes go to the diagnostics.
 *
 * Ownership: the caller frees with br_environ_done(). Fails with BR_EINPUT for
 * an `-e` that is no variable.
 */
bool br_environ_init(struct br_environ *environment,
	const struct br_environ_source *source,
	struct br_err *err) BR_MUST_CHECK;

/* Free what is not in the arena. */
void br_environ_done(struct br_environ *environment);

/*
 * Build the environment of a stage that runs: NAME=VALUE sorted by name, each
 * name once, NULL-terminated. `combination` is that of its matrix, or NULL; `name`
 * its full name. A name that is passed on but that nobody defines is noted, or a
 * mistake where it is a secret.
 *
 * Ownership: in the arena.
 */
const char *const *br_environ_build(struct br_environ *environment,
	const struct br_stage *stage, const struct br_vars *combination,
	const char *name);

/*
 * Build the environment of a service: what it says itself, and no more. `NAME`
 * alone is the value that a stage would have, from -e, the manifest or the caller.
 *
 * Ownership: in the arena.
 */
const char *const *br_environ_build_service(
	struct br_environ *environment, const struct br_vars *vars);
