/* SPDX-License-Identifier: MIT */
/*
 * disguise.h - the forms in which a secret value may show up in output.
 *
 * Programs print a value as it is, but also coded: a header in base64, a URL, a
 * piece of JSON, a command that the shell shows under `set -x`. Each form is
 * text that gives the value away, so each is to be masked.
 */
#pragma once

#include "base/str.h"

/* Takes one form, borrowed for the call and never empty. May come twice. */
typedef void br_disguise_fn(void *ctx, struct br_str form);

/*
 * Pass every form of `value` to `fn`, the value itself first:
 *
 * - its base64, in both alphabets, at each of the three places where a value can
 *   start among coded bytes: the characters that depend on nothing else, and
 *   those up to the end with and without padding. Where base64 is cut into lines,
 *   at least what each line has of it, unless that is less than six characters;
 * - percent-encoded, as JSON text, and as the shell quotes it, where they differ;
 * - each line of at least 6 bytes, and the value without line ends behind it.
 *
 * Limits: a value of less than 4 bytes only as it is, an empty one not at all:
 * their forms would be found everywhere.
 */
void br_disguise_each(struct br_str value, br_disguise_fn *fn, void *ctx);
