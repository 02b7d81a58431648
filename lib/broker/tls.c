/* SPDX-License-Identifier: MIT */
/*
 * TLS: who vouches for the broker, and who we are to it. The library verifies both the
 * certificate and the host, and by itself knows no authorities.
 */
#include <stdlib.h>
#include <unistd.h>

#include "broker/tls.h"

#if __has_include(<rabbitmq-c/ssl_socket.h>)
#include <rabbitmq-c/ssl_socket.h>
#else
#include <amqp_ssl_socket.h>
#endif

/* Where distributions keep the authorities that they trust, in one file. */
static const char *find_authorities(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static bool set_authorities(
	amqp_socket_t *socket, const char *ca_file, struct br_err *err)
{
	const char *file = ca_file ? ca_file : find_authorities();

	if (!file)
		return br_fail(err, BR_EINPUT,
			"this system has no file of authorities: name one");
	if (amqp_ssl_socket_set_cacert(socket, file) != AMQP_STATUS_OK)
		return br_fail(err, BR_EINPUT,
			"'%s' has no authority's certificate", file);
	return true;
}

static bool set_certificate(amqp_socket_t *socket,
	const struct br_broker_options *options, struct br_err *err)
{
	if (!options->cert_file && !options->key_file)
		return true;
	if (!options->cert_file || !options->key_file)
		return br_fail(err, BR_EINPUT,
			"a certificate and its key go together");
	/* Without a password here it would ask for one on the terminal. */
	amqp_ssl_socket_set_key_passwd(socket, "");
	if (amqp_ssl_socket_set_key(socket, options->cert_file,
		    options->key_file) != AMQP_STATUS_OK)
		return br_fail(err, BR_EINPUT,
			"'%s' and '%s' are no certificate and its key, which "
			"must have no password",
			options->cert_file, options->key_file);
	return true;
}

amqp_socket_t *br_tls_new(amqp_connection_state_t connection,
	const struct br_broker_options *options, struct br_err *err)
{
	amqp_socket_t *socket = amqp_ssl_socket_new(connection);

	if (!socket) {
		(void)br_fail(err, BR_ESYSTEM, "TLS does not start");
		return NULL;
	}
	amqp_ssl_socket_set_verify_peer(socket, 1);
	amqp_ssl_socket_set_verify_hostname(socket, 1);
	if (amqp_ssl_socket_set_ssl_versions(
		    socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK) {
		(void)br_fail(err, BR_ESYSTEM, "TLS has no version 1.2");
		return NULL;
	}
	return set_authorities(socket, options->ca_file, err) &&
			set_certificate(socket, options, err)
		? socket
		: NULL;
}
