/* SPDX-License-Identifier: MIT */
/*
 * address.h - where the engine is.
 *
 * The first of these that says something decides: the option -H, DOCKER_HOST,
 * DOCKER_CONTEXT, the current context of docker's config.json. Where none does, the
 * sockets of Docker, rootless Docker and Podman are looked for on this machine.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Starts out all zero. */
struct br_address {
	/* `unix:///var/run/docker.sock`, `tcp://host:2375`. */
	char *text;
	/* What named it: `-H`, `DOCKER_HOST`, `docker context 'x'`, `default`. */
	char *source;
	/* Path of the socket; NULL: it is reached over TCP. */
	char *socket_path;
	/* `host:port`; NULL: it is a socket. */
	char *host_port;
	bool is_tls;
	/* The engine's certificate must be good for its host. */
	bool is_verified;
	/* Files in PEM form; NULL where there is none. */
	char *ca_path;
	char *cert_path;
	char *key_path;
};

/* Free what `address` holds. */
void br_address_done(struct br_address *address);

static inline void br_clean_address(struct br_address *address)
{
	br_address_done(address);
}

#define br_autoaddress __attribute__((cleanup(br_clean_address)))

/*
 * Take apart `text` as -H and DOCKER_HOST have it: `unix:///path`, `tcp://host:port`
 * (port 2375 without one, 2376 with TLS). `unix://var/run/docker.sock` is a path
 * from the root too. `address->is_tls` says whether TLS is spoken and is kept, like
 * the certificates.
 *
 * Ownership: the caller frees the contents with br_address_done(). Fails with
 * BR_EINPUT where it is no address, and where a socket's path is longer than the
 * system takes.
 */
bool br_address_parse(const char *text, struct br_address *address,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Find the engine. `option` is the value of -H, or NULL.
 *
 * Ownership: the caller frees the contents with br_address_done(). Fails with
 * BR_EINPUT where what was named is no address, or a context that is not there or
 * broken.
 */
bool br_address_find(const char *option, struct br_address *address,
	struct br_err *err) BR_MUST_CHECK;
