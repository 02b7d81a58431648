/* SPDX-License-Identifier: MIT */
/* stages.h - which stages a build has, and which of them failed. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "event/event.h"

struct br_log_stages {
	/* Holds everything. */
	struct br_arena arena;
	/* Whether build.started is there. */
	bool has_names;
	struct br_names names;
	/* What ended neither well nor since it was stopped or skipped. */
	struct br_names failed;
};

/*
 * Read them from the log of `build` in `folder`; output is not looked at.
 *
 * Ownership: the caller frees what *stages holds with br_log_stages_done(). Fails as
 * br_log_reader_open().
 */
bool br_log_stages_load(const char *folder, const char *build,
	struct br_log_stages *stages, struct br_err *err) BR_MUST_CHECK;

/* Free what it holds. */
void br_log_stages_done(struct br_log_stages *stages);
