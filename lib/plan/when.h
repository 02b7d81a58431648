/* SPDX-License-Identifier: MIT */
/*
 * when.h - the conditions of a stage that can be judged before anything runs.
 *
 * `branch`, `tag`, `event` and `changes` depend on the project and the options,
 * `env` on the variables that the stage would have. `status` is the run's.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "manifest/manifest.h"
#include "plan/changes.h"
#include "plan/git.h"

/* What conditions are about. Borrowed. */
struct br_when_facts {
	const struct br_git *git;
	const char *event;
	/* Looked for when the first stage asks. */
	struct br_changes *changes;
	/* The caller's, as environ(7). */
	const char *const *caller_environment;
	struct br_arena *arena;
};

/*
 * Judge all but `env` and `status`. Gives NULL where they hold, else why not, in
 * words and in the arena.
 */
const char *br_when_project_mismatch(
	const struct br_when *when, const struct br_when_facts *facts);

/*
 * Judge `env`: of a stage with `environment` (NAME=VALUE, NULL-terminated). A
 * variable that is not set is as one that is empty. Values are not shown: they may
 * be secret. Gives as br_when_project_mismatch().
 */
const char *br_when_env_mismatch(const struct br_when *when,
	const char *const *environment, const struct br_when_facts *facts);
