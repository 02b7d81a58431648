/* SPDX-License-Identifier: MIT */
/*
 * run.h - runs a plan: containers, stages, steps, and everything told as events.
 *
 * Nothing is left behind, however it ends (contract.md): the run starts a janitor
 * before it speaks to the engine, buildr-init ends when the connection closes, and
 * what an earlier run could not clean is swept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "event/bus.h"
#include "event/event.h"
#include "plan/plan.h"
#include "run/seat.h"

/* How buildr and buildr-init are connected. */
enum br_wire_kind {
	/* A socket where the engine sees our files, else stdio. */
	BR_WIRE_AUTO,
	BR_WIRE_SOCKET,
	BR_WIRE_STDIO,
};

/* The stage cache. Strings are borrowed. */
struct br_cache_options {
	/* Of the store (cache/store.h). */
	const char *folder;
	/*
	 * What the project is called there, for the reasons of misses; NULL: by its
	 * directory.
	 */
	const char *project;
	/* Stages run all the same, and what they leave is compared with what is stored. */
	bool is_verifying;
	/* As in struct br_remote_options; NULL: none. */
	const char *remote;
	const char *remote_token;
	const char *remote_ca_file;
	bool is_remote_read_only;
	/* What the store is kept to; -1: no limit. */
	int64_t max_bytes;
	int64_t max_age_ms;
};

struct br_run_options {
	struct br_engine *engine;
	/* With build id and sinks; the run makes all its events. */
	struct br_bus *bus;
	/* The version of buildr, for build.started. */
	const char *version;
	/* `host.name` in build.started; NULL: the host's. */
	const char *host_name;
	/* Of a checkout, for build.started; NULL without one. */
	const char *repo;
	const char *branch;
	const char *commit;
	enum br_pull pull;
	/* NULL: every stage runs, and nothing is stored. */
	const struct br_cache_options *cache;
	enum br_wire_kind wire;
	/* Stages at once; 0: the processors. */
	unsigned jobs;
	/*
	 * A failure stops the stages that run, and only those are started that run
	 * after a failure (`when: {status: ...}`).
	 */
	bool is_fail_fast;
	/* For the whole build; 0: none. */
	int64_t timeout_ms;
	/* Between SIGTERM and SIGKILL of a step that is stopped. */
	int64_t grace_ms;
	/* Who gets a shell; NULL: nobody can. Borrowed. */
	const struct br_seat *seat;
	/*
	 * When a stage has failed for good and nothing runs any more, open a shell
	 * in its container, with its services, before the build goes on.
	 */
	bool is_shell_on_fail;
	/*
	 * When the build fails, what its failed stages ran in stays: see keep.h. Not
	 * where it was asked to stop.
	 */
	bool is_keep;
	/* How to call `buildr gc` for this engine, for who wants that to go. */
	const char *gc_command;
	/*
	 * Each byte that can be read from it asks to stop: the first one
	 * politely, the second at once. The byte is the signal's number, SIGINT
	 * or SIGTERM. -1: nobody asks.
	 */
	int cancel_fd;
	/*
	 * What asks for the second time, for people ("a second Ctrl-C"), who are told
	 * at the first; NULL: nobody is.
	 */
	const char *second_stop;
};

struct br_outcome {
	/* PASS, FAIL, ERROR or CANCELLED. */
	enum br_result result;
	/* The contract's exit code. */
	int exit;
	/*
	 * The engine or this machine is at fault, not the project: on another the
	 * same build may pass.
	 */
	bool is_ours;
	/* Why no more events could be handed on; BR_OK: all were. */
	struct br_err sink_failure;
};

/*
 * Run `plan` to its end, whatever that is. Every failure is an event and in the
 * outcome; where not even events could be handed on (a sink failed), the outcome
 * is ERROR with 3, and says why.
 *
 * A second stop request leaves at once: the outcome is CANCELLED, and the nets
 * clean up after the process has ended.
 */
void br_run(const struct br_plan *plan, const struct br_run_options *options,
	struct br_outcome *outcome);

/* What the default grace is: ten seconds (contract.md). */
enum { BR_RUN_GRACE_MS = 10000 };
