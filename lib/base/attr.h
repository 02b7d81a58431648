/* SPDX-License-Identifier: MIT */
/*
 * attr.h - the compiler attributes that this code uses, under short names.
 *
 * Together with clean.h it holds every compiler extension that is allowed.
 */
#pragma once

/* The result says whether the call worked: not looking at it is a bug. */
#define BR_MUST_CHECK __attribute__((warn_unused_result))

/*
 * Argument `fmt_index` is a printf format for those from `first_arg` on. It is said
 * to be there, or gcc's sanitizers warn of the way on which they find it missing.
 */
#define BR_PRINTF(fmt_index, first_arg) \
	__attribute__(( \
		format(printf, fmt_index, first_arg), nonnull(fmt_index)))

/* The call does not come back. */
#define BR_NORETURN __attribute__((noreturn))

/* The result is never NULL. */
#define BR_NONNULL_RESULT __attribute__((returns_nonnull))
