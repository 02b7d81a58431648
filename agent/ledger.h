/* SPDX-License-Identifier: MIT */
/*
 * ledger.h - what this agent has reported of late.
 *
 * That a job was reported stands in `buildr.result.<id>`. But a broker that is killed
 * forgets queues of its last two seconds, with all that was confirmed in them, and then
 * delivers jobs again whose acknowledgement it has forgotten as well. So an agent keeps in
 * mind what it has reported, does not run it again, and when it is back at the broker
 * says so again where the queue is gone. Others that get such a job linger for as long
 * before they begin: LEDGER_LINGER_MS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "broker/broker.h"

enum {
	LEDGER_ENTRIES = 1024,
	/* Longer than LEDGER_RETRY_MS, and than saying it again takes. */
	LEDGER_LINGER_MS = 5000,
	/* As long as something may have to be said again, come back so soon. */
	LEDGER_RETRY_MS = 2000,
};

struct ledger_entry {
	char id[BR_UUID_TEXT_BYTES];
	/* When, in monotonic ms. */
	int64_t when_ms;
};

/* Starts out all zero. A ring. */
struct ledger {
	struct ledger_entry entries[LEDGER_ENTRIES];
	size_t next;
	size_t count;
};

/* Note that the report of a job is confirmed. */
void ledger_add(struct ledger *ledger, const char *id);

/* Whether this agent has reported it. */
bool ledger_has(const struct ledger *ledger, const char *id);

/* Whether something was reported so late that the broker may have forgotten it. */
bool ledger_is_fresh(const struct ledger *ledger);

/*
 * Say again what may be forgotten, on a channel that may be closed for it. `ledger` must
 * live as long as the connection.
 */
void ledger_repeat(
	struct ledger *ledger, struct br_broker *broker, unsigned channel);
