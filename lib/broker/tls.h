/* SPDX-License-Identifier: MIT */
/* tls.h - a socket of the library's that speaks TLS and trusts nobody without reason. */
#pragma once

#include "broker/private.h"

/*
 * Make the socket of `connection`, which is not connected yet.
 *
 * Ownership: `connection` has it; borrowed. NULL on failure, with BR_EINPUT for files that
 * are not what they should be.
 */
amqp_socket_t *br_tls_new(amqp_connection_state_t connection,
	const struct br_broker_options *options, struct br_err *err);
