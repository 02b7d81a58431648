/* SPDX-License-Identifier: MIT */
/* ref.h - what a job calls its branch, checked as git-check-ref-format(1) does. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

enum br_ref_kind {
	/* A branch, or if there is none, a tag of that name. */
	BR_REF_ANY,
	BR_REF_BRANCH,
	BR_REF_TAG,
	/* What HEAD names; no name. */
	BR_REF_HEAD,
};

/* Borrowed from the text. */
struct br_ref {
	enum br_ref_kind kind;
	const char *name;
};

/*
 * Read a name, which may begin with `refs/heads/` or `refs/tags/`; NULL or empty: HEAD.
 *
 * Fails with BR_EINPUT for what git takes for no branch (as with `--branch`: one
 * that begins with `-` is none).
 */
bool br_ref_parse(
	const char *text, struct br_ref *ref, struct br_err *err) BR_MUST_CHECK;

/*
 * Check that `text` is a commit in hexadecimal; an abbreviation is one, too.
 *
 * Fails with BR_EINPUT.
 */
bool br_ref_check_commit(const char *text, struct br_err *err) BR_MUST_CHECK;
