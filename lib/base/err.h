/* SPDX-License-Identifier: MIT */
/*
 * err.h - the one error type.
 *
 * A function that can fail returns bool, true for success, and takes a
 * `struct br_err *` as its last parameter. The caller owns the struct, usually
 * on its stack, and never passes NULL. On failure the function fills it and
 * leaves every other output untouched; on success it does not touch it.
 *
 *	struct br_err err = { 0 };
 *
 *	if (!br_plan_build(manifest, &plan, &err))
 *		return br_wrap(&err, "planning %s", path);
 *
 * There is nothing to free: the text lives in the struct.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "base/attr.h"

/* One code per thing a caller may do about it; the cause goes into the text. */
enum br_code {
	BR_OK,
	/* The user's file or argument is wrong: report it, do not retry. */
	BR_EINPUT,
	/* The named thing does not exist: the caller may fall back. */
	BR_ENOTFOUND,
	/* Engine, broker or network did not answer: may be retried. */
	BR_EUNAVAIL,
	/* The other side broke its protocol: do not retry. */
	BR_EPROTO,
	/* Stopped on request: nothing to report. */
	BR_ECANCELED,
	/* A limit from the manifest or the configuration ran out. */
	BR_ETIMEDOUT,
	/* The operating system refused; the text ends in strerror(). */
	BR_ESYSTEM,
};

struct br_err {
	enum br_code code;
	/* One line without newline; ends in "..." where it was cut. */
	char text[512];
};

/* Fill `err`. Returns false, so that a caller can `return br_fail(...)`. */
bool br_fail(struct br_err *err, enum br_code code, const char *fmt, ...)
	BR_PRINTF(3, 4);

/* br_fail() with BR_ESYSTEM and ": " strerror(errno) after the text. */
bool br_fail_errno(struct br_err *err, const char *fmt, ...) BR_PRINTF(2, 3);

/* Put "<context>: " in front of an error that is already set. Returns false. */
bool br_wrap(struct br_err *err, const char *fmt, ...) BR_PRINTF(2, 3);
