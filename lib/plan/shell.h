/* SPDX-License-Identifier: MIT */
/*
 * shell.h - a plan in which one stage is a shell (`buildr shell`).
 *
 * The stage is one that the selection names, with the container, the services and the
 * environment that it would have, whatever its conditions say; or, where no stage is
 * named, one that is made up and runs in the build's container.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/plan.h"
#include "plan/select.h"

/*
 * Choose `prepare` and a stage `shell` in the build's container.
 *
 * Ownership: as br_select().
 */
void br_shell_make(const struct br_manifest *manifest, struct br_arena *arena,
	struct br_choices *choices);

/*
 * Make the stage that is named by the choices the shell.
 *
 * Fails with BR_EINPUT where several are: a shell is in one container.
 */
bool br_shell_choose(
	struct br_choices *choices, struct br_err *err) BR_MUST_CHECK;
