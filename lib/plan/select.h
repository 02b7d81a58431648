/* SPDX-License-Identifier: MIT */
/*
 * select.h - which stages run, in which order, and why.
 *
 * Each listed stage needs the one before it, the first one `prepare`, where there
 * is one. With names on the command line those stages run and what they need, so
 * that `buildr deploy` runs everything up to it. A stage that is not listed runs
 * only when it is named, after the listed ones, and needs only `prepare`.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/plan.h"

/* What is decided of a stage. */
struct br_choice {
	/* Borrowed from the manifest. */
	const struct br_stage *stage;
	bool is_prepare;
	enum br_skip skip;
	/* In words. In the arena, like the names below. */
	const char *why;
	/* NULL-terminated. */
	const char *const *needs;
};

struct br_choices {
	struct br_choice *items;
	size_t count;
};

/*
 * Decide on every listed stage, and on those named: `prepare` first, then the
 * listed ones in order, then the others as they were named.
 *
 * Ownership: the choices live in `arena` and borrow the stages. Fails with
 * BR_EINPUT for a name that no stage has.
 */
bool br_select(const struct br_manifest *manifest, const char *const *names,
	size_t name_count, struct br_arena *arena, struct br_choices *choices,
	struct br_err *err) BR_MUST_CHECK;
