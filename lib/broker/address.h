/* SPDX-License-Identifier: MIT */
/*
 * address.h - where a broker is and who we are there: amqp://user:password@host/vhost.
 *
 * Written after the AMQP URI specification, except that an empty virtual host is `/`,
 * as everybody means it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Starts out all zero. */
struct br_broker_address {
	bool is_tls;
	char *host;
	uint16_t port;
	char *user;
	char *password;
	char *vhost;
	/* The address again, without user and password. */
	char *shown;
};

/*
 * Read an address. What is left out is `guest`, `guest`, `localhost`, the usual port and
 * `/`. User, password and virtual host may have bytes as %xx.
 *
 * Ownership: br_broker_address_done(). Fails with BR_EINPUT, in a text that has nothing
 * of `url`: where it is wrong, any part of it may be the password.
 */
bool br_broker_address_parse(const char *url, struct br_broker_address *address,
	struct br_err *err) BR_MUST_CHECK;

/* Free what the address holds. */
void br_broker_address_done(struct br_broker_address *address);
