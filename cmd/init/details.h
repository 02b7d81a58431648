/* SPDX-License-Identifier: MIT */
/*
 * details.h - what the files of a project say that a template leaves open.
 *
 * Only what a pattern of digits, dots and known words has let through goes into a manifest:
 * a project's files are anybody's text. What is not found has a default, and what cannot be
 * read is noted.
 */
#pragma once

#include "cmd/init/kinds.h"

/* Find what `name` is; "" where it is not known. Borrowed from `details`. */
const char *details_find(const struct details *details, const char *name);

/* Add a value, which is borrowed. */
void details_add(struct details *details, const char *name, const char *value);

/* Free what `details` holds. */
void details_done(struct details *details);

/* One for each kind: add what its template asks for. */
void look_at_cargo(struct details *details);
void look_at_go(struct details *details);
void look_at_gradle(struct details *details);
void look_at_make(struct details *details);
void look_at_maven(struct details *details);
void look_at_npm(struct details *details);
void look_at_python(struct details *details);
void look_at_sbt(struct details *details);
