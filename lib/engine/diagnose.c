/* SPDX-License-Identifier: MIT */
#include "engine/diagnose.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Try to connect once more, for the reason. Gives errno, 0 for none. */
static int try_socket(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	br_autoclose int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* The length was looked at when the address was read. */
	memcpy(name.sun_path, path, strnlen(path, sizeof(name.sun_path) - 1));
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return errno;
	return 0;
}

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 || S_ISSOCK(status.st_mode);
}

static bool no_socket(const struct br_address *address, struct br_err *err)
{
	const char *path = address->socket_path;
	int reason = try_socket(path);

	if (reason == EACCES || reason == EPERM)
		return br_fail(err, BR_EUNAVAIL,
			"the engine at %s may not be used by this user: add the user to the group that owns the socket ('docker'), or use a rootless engine",
			address->text);
	if (!is_socket(path))
		return br_fail(err, BR_EUNAVAIL,
			"%s is not a socket: name the engine with -H or DOCKER_HOST",
			path);
	if (reason == ECONNREFUSED)
		return br_fail(err, BR_EUNAVAIL,
			"no container engine listens at %s, though the socket is there: is it running? start it, or name another with -H or DOCKER_HOST",
			address->text);
	return br_fail(err, BR_EUNAVAIL,
		"no container engine at %s: is it running? start it, or name another with -H or DOCKER_HOST",
		address->text);
}

static bool no_connection(const struct br_curl *curl, CURL *easy,
	const struct br_address *address, CURLcode result, struct br_err *err)
{
	long reason = 0;

	if (address->socket_path)
		return no_socket(address, err);
	curl->easy_getinfo(easy, CURLINFO_OS_ERRNO, &reason);
	return br_fail(err, BR_EUNAVAIL,
		"no container engine at %s (%s): is it running? start it, or name another with -H or DOCKER_HOST",
		address->text,
		reason ? strerror((int)reason) : curl->easy_strerror(result));
}

static bool timed_out(const struct br_curl *curl, CURL *easy,
	const struct br_address *address, struct br_err *err)
{
	double connected = 0;

	curl->easy_getinfo(easy, CURLINFO_CONNECT_TIME, &connected);
	if (connected <= 0 && address->host_port)
		return br_fail(err, BR_EUNAVAIL,
			"no container engine at %s: the connection does not come about",
			address->text);
	return br_fail(err, BR_EUNAVAIL,
		"the engine at %s does not answer in time", address->text);
}

bool br_diagnose(const struct br_curl *curl, CURL *easy,
	const struct br_address *address, CURLcode result, struct br_err *err)
{
	/* Over a hundred codes; these have a cause that a user can act on. */
	switch ((int)result) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return no_connection(curl, easy, address, result, err);
	case CURLE_OPERATION_TIMEDOUT:
		return timed_out(curl, easy, address, err);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return br_fail(err, BR_EUNAVAIL,
			"what answers at %s does not speak HTTP and is no container engine: name the engine with -H or DOCKER_HOST",
			address->text);
	case CURLE_PARTIAL_FILE:
		return br_fail(err, BR_EUNAVAIL,
			"the engine at %s broke its answer off", address->text);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return br_fail(err, BR_EUNAVAIL,
			"the engine at %s closed the connection without an answer",
			address->text);
	case CURLE_PEER_FAILED_VERIFICATION:
		return br_fail(err, BR_EUNAVAIL,
			"the certificate of the engine at %s is not good for it: %s",
			address->text, curl->easy_strerror(result));
	default:
		return br_fail(err, BR_EUNAVAIL,
			"speak to the engine at %s: %s", address->text,
			curl->easy_strerror(result));
	}
}
