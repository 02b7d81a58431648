/* SPDX-License-Identifier: MIT */
/*
 * janitor.h - the child that cleans up when buildr cannot.
 *
 * It is forked before the first request to the engine, and holds nothing but a
 * socket from buildr, the engine's address and the build's label. When the socket
 * closes, it removes what carries the label: what was created but never started,
 * what did not end by itself, and what the engine should have removed and did not.
 * Without a word from buildr that all is clean it looks again for two seconds, since
 * a request may have been on its way. It also sweeps what earlier builds left whose
 * owner is gone.
 *
 * A request that fails, or has no answer in time, is made again in the next round.
 * It is in a session of its own and ignores the signals of the terminal. Nobody
 * waits for it: it ends within five seconds after buildr; but where the engine is so
 * slow that it has not answered by then, or has not ended what is left, a minute later
 * at the latest.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"

/* Our end of the socket. Starts out by br_janitor_start(). */
struct br_janitor {
	/* -1: there is none. */
	int fd;
};

struct br_janitor_options {
	/* Not yet spoken to: the child goes on with its copy. */
	struct br_engine *engine;
	/* Value of the label `io.buildr.build`. */
	const char *build;
	/* Removed when it is still there: see private.h. */
	const char *private_dir;
	/* Who buildr is, to tell owners that are gone. */
	const struct br_process_id *self;
};

/*
 * Fork the janitor.
 *
 * Fails with BR_ESYSTEM; there is none then.
 */
bool br_janitor_start(const struct br_janitor_options *options,
	struct br_janitor *janitor, struct br_err *err) BR_MUST_CHECK;

/*
 * Let it go. `is_clean` says that the engine holds nothing of this build that
 * does not go by itself. May be called twice.
 */
void br_janitor_release(struct br_janitor *janitor, bool is_clean);

/* Let it go, and what runs stay: only what is at rest is removed. */
void br_janitor_leave(struct br_janitor *janitor);
