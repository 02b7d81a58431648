/* SPDX-License-Identifier: MIT */
/*
 * peer.h - a real buildr-init for a test, without an engine.
 *
 * It runs as PID 1 of a pid namespace of its own, with its own /proc, as it does
 * in a container, and is spoken to through lib/session. What it tells is written
 * down in one text:
 *
 *	<1.2        stage 1, step 2 has started
 *	hello       what it wrote to stdout, and !oh what it wrote to stderr
 *	>1.2=0      the step is over, with its status
 *	#1=0        the stage is over; #1=127(shell …) if it could not be run
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "session/private.h"
#include "session/session.h"

/* Long enough for any machine; a test never waits for it to pass. */
enum { PEER_PATIENCE_MS = 240000 };

/* What init may use at most, whatever goes through it. */
enum { INIT_MAX_KIB = 4 * 1024 };

struct peer {
	/* Temporary, and removed by peer_close(). */
	char *folder;
	/* The process that holds the namespace; its end is init's. */
	pid_t pid;
	struct br_session *session;
	struct br_buf log;
	/* Stages that are over. */
	size_t over_count;
	/* Of the last step that is over. */
	struct br_step_report report;
	/* Where output goes that is too much for a log: counted, and compared. */
	bool is_counting;
	uint64_t output_bytes;
	uint64_t wrong_bytes;
};

struct peer_options {
	/* Over stdin and stdout instead of a socket. */
	bool is_stdio;
	const char *give_back_path;
	uid_t uid;
	gid_t gid;
};

/* Start init and connect to it. Fails the test where that does not work. */
void peer_open(struct peer *peer, const struct peer_options *options);

/* Say END, wait for it, expect init to have exited with 0, and clean up. */
void peer_close(struct peer *peer);

/* As peer_close(), but files are left as they are. */
void peer_leave(struct peer *peer);

/*
 * Say KEEP, and hang up when it is answered. Then write a line to the pipe `go` in the
 * folder, expect `answer` from the pipe `come`, tell init to end, and clean up.
 */
void peer_keep(struct peer *peer, const char *go, const char *come,
	const char *answer);

/* Close the connection without a word, and wait for the end of init: status 1. */
void peer_hang_up(struct peer *peer);

/* Start a stage of shell steps; ends with NULL. */
void peer_start(struct peer *peer, unsigned stage, const char *const *steps);

/* Start a stage as it is; members that are NULL get a value that works. */
void peer_start_stage(
	struct peer *peer, unsigned stage, struct br_session_stage what);

/* Wait for the wire, and work once. */
void peer_work(struct peer *peer);

/* Work until so many stages are over. */
void peer_run_until_over(struct peer *peer, size_t count_over);

/* Work until `text` is in the log. */
void peer_run_until_seen(struct peer *peer, const char *text);

/* Start a stage of one shell step, wait for its end, and compare the log. */
void peer_expect(
	struct peer *peer, const char *const *steps, const char *expected);

/* Peak memory of init so far, in KiB: the child of the process that we know. */
long peer_init_peak_kib(const struct peer *peer);
