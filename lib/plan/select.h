/* SPDX-License-Identifier: MIT */
/*
 * select.h - which stages are in the plan, and which of them run.
 *
 * Without names on the command line the listed stages run, and what they need.
 * With some, those run with what they need (STAGE), without (--only), or with all
 * that need them and would run without names (--from); --skip takes out of what the
 * others gave, and with a stage what only that stage needs.
 * named.h says what a name means.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/graph.h"
#include "plan/plan.h"

/* What is decided of a stage. */
struct br_choice {
	/* Borrowed from the manifest; of `combination` NULL: no matrix. */
	const struct br_stage *stage;
	const struct br_vars *combination;
	const char *name;
	bool is_prepare;
	/* As STAGE or with --only. */
	bool is_named;
	/* It is a shell (shell.h). */
	bool is_shell;
	size_t group;
	enum br_skip skip;
	/* In words. In the arena. */
	const char *why;
};

struct br_choices {
	struct br_choice *items;
	size_t count;
	struct br_plan_group *groups;
	size_t group_count;
};

/*
 * Decide on every listed stage, on those that they need and on those that are
 * named: `prepare` first, then in the order of `graph`.
 *
 * Ownership: the choices live in `arena` and borrow stages and names. Fails with
 * BR_EINPUT for a name that no stage has and a glob that none matches.
 */
bool br_select(const struct br_manifest *manifest, const struct br_graph *graph,
	const struct br_plan_options *options, struct br_arena *arena,
	struct br_choices *choices, struct br_err *err) BR_MUST_CHECK;
