/* SPDX-License-Identifier: MIT */
/*
 * ping.h - a helper process that says every second that this one lives.
 *
 * Over attached stdio an engine that dies cannot tell buildr-init that we are
 * gone; silence does. The helper sends on its own, so that a reader of our output
 * who stalls us does not make us silent. It ends with this process, however that
 * ends, and with the connection.
 *
 * Both write whole frames only: a token goes to and fro, and who writes has it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* How long buildr-init waits for a ping that comes every second. */
enum { BR_PING_SILENCE_MS = 3500 };

/* Starts out by br_ping_open(); private. */
struct br_ping {
	pid_t pid;
	/* Closes with this process. */
	int lifeline;
	/* Holds a byte while nobody writes; both ends. */
	int token_in;
	int token_out;
	bool has_token;
};

/* The empty value: no helper, and the token is always there. */
void br_ping_init(struct br_ping *ping);

/*
 * Start the helper, which writes to `fd`, a stream socket.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_ping_open(
	struct br_ping *ping, int fd, struct br_err *err) BR_MUST_CHECK;

/* Take the token; gives false while the helper has it, for some microseconds. */
bool br_ping_take(struct br_ping *ping);

/* Give the token back, between two frames. */
void br_ping_give(struct br_ping *ping);

/* End the helper. May be called twice. */
void br_ping_close(struct br_ping *ping);
