/* SPDX-License-Identifier: MIT */
/*
 * notify.h - what systemd wants to know of a service (sd_notify(3)).
 *
 * Datagrams to the socket that NOTIFY_SOCKET names. Where there is none all of this
 * does nothing, and nothing waits for who reads them.
 */
#pragma once

#include <stdint.h>

/* Starts out by notify_open(). */
struct notify {
	/* -1: nobody wants to know. */
	int fd;
	/* When to say that we live, in monotonic ms; -1: it is not wanted. */
	int64_t alive_ms;
	int64_t alive_every_ms;
};

/*
 * Find out who wants to know, and take the variables that say so out of the
 * environment, so that no child speaks for us. Ownership: notify_close().
 */
void notify_open(struct notify *notify);

/* Close it. May be called twice. */
void notify_close(struct notify *notify);

/* Send assignments, a line each: `READY=1`, `STATUS=...`. */
void notify_send(const struct notify *notify, const char *text);

/* Send what comes before and after options are read again. */
void notify_reloading(const struct notify *notify);
void notify_ready(const struct notify *notify);

/* Say that we live, where it is time to. */
void notify_work(struct notify *notify);
