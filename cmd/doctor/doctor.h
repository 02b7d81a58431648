/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - what `buildr doctor` has looked at, a line for each thing.
 *
 * A check adds lines: what was found, or what is wrong and the command that mends it. It
 * fails for nothing, so that one thing that is wrong hides no other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "cmd/options/options.h"

struct doctor_line {
	const char *name;
	bool is_ok;
	const char *text;
	/* NULL: nothing is wrong, or nobody knows. */
	const char *mend;
};

/* Starts out all zero, but for the first two. */
struct doctor {
	const struct options *options;
	/* Of main(). */
	char **argv;
	struct doctor_line *lines;
	size_t count;
	size_t capacity;
	struct br_arena arena;
};

/* Add that something is well. `name` is static. */
void doctor_ok(struct doctor *doctor, const char *name, const char *fmt, ...)
	BR_PRINTF(3, 4);

/* Add that something is wrong; `mend` may be NULL, and is borrowed. */
void doctor_wrong(struct doctor *doctor, const char *name, const char *mend,
	const char *fmt, ...) BR_PRINTF(4, 5);

/* The checks. */

/* The file of options, buildr-init, the schema for editors, git, room for builds. */
void doctor_machine(struct doctor *doctor);

/* The engine: where, which, what it can do, and how its containers are spoken to. */
void doctor_engine(struct doctor *doctor);

/* Registries, of docker's config.json and of the manifest: who has credentials. */
void doctor_registries(struct doctor *doctor);

/* The broker, if one is named. */
void doctor_broker(struct doctor *doctor);

/* Look whether there is room in `folder`, of which `what` says what it is for. */
void doctor_room(struct doctor *doctor, const char *folder, const char *what,
	const char *mend);
