/* SPDX-License-Identifier: MIT */
#include "engine/address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/parse.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/context.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"

void br_address_done(struct br_address *address)
{
	free(address->text);
	free(address->source);
	free(address->socket_path);
	free(address->host_port);
	free(address->ca_path);
	free(address->cert_path);
	free(address->key_path);
	*address = (struct br_address){ 0 };
}

static bool parse_unix(
	const char *path, struct br_address *address, struct br_err *err)
{
	br_autofree char *absolute =
		br_format("%s%s", path[0] == '/' ? "" : "/", path);

	if (absolute[1] == '\0')
		return br_fail(err, BR_EINPUT,
			"the engine address 'unix://%s' has no path", path);
	if (strlen(absolute) >= BR_LIMIT_SOCKET_PATH_BYTES)
		return br_fail(err, BR_EINPUT,
			"the engine's socket '%s' has a path of more than %d bytes, which the system does not take: use a shorter one, a symbolic link for example",
			absolute, BR_LIMIT_SOCKET_PATH_BYTES - 1);
	address->text = br_format("unix://%s", absolute);
	address->socket_path = br_take_ptr(&absolute);
	return true;
}

/* Where the port of `host` starts, with its colon; an IPv6 host has brackets. */
static const char *find_port(const char *host)
{
	const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;

	return strchr(bracket ? bracket : host, ':');
}

static bool is_host(const char *host, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";

	if (len > 2 && host[0] == '[' && host[len - 1] == ']')
		return strspn(host + 1, "0123456789abcdefABCDEF:.") == len - 2;
	return strspn(host, allowed) >= len;
}

static bool parse_tcp(
	const char *rest, struct br_address *address, struct br_err *err)
{
	br_autofree char *host = br_strdup(rest);
	size_t len = strlen(host);

	if (len > 0 && host[len - 1] == '/')
		host[--len] = '\0';

	const char *port = find_port(host);
	size_t host_len = port ? (size_t)(port - host) : len;
	int64_t number = address->is_tls ? 2376 : 2375;
	struct br_err why = { 0 };

	if (!is_host(host, host_len) ||
		(port && !br_parse_int(port + 1, 1, 65535, &number, &why)))
		return br_fail(err, BR_EINPUT,
			"the engine address 'tcp://%s' is not of the form tcp://host:port",
			rest);
	address->host_port = br_format("%.*s:%d",
		host_len > 0 ? (int)host_len : (int)strlen("127.0.0.1"),
		host_len > 0 ? host : "127.0.0.1", (int)number);
	address->text = br_format("tcp://%s", address->host_port);
	return true;
}

bool br_address_parse(
	const char *text, struct br_address *address, struct br_err *err)
{
	if (br_has_prefix(text, "unix://"))
		return parse_unix(text + strlen("unix://"), address, err);
	if (text[0] == '/')
		return parse_unix(text, address, err);
	if (br_has_prefix(text, "tcp://"))
		return parse_tcp(text + strlen("tcp://"), address, err);
	if (br_has_prefix(text, "ssh://"))
		return br_fail(err, BR_EINPUT,
			"the engine address '%s': ssh is not spoken here; forward the socket with 'ssh -L' and name that one",
			text);
	return br_fail(err, BR_EINPUT,
		"the engine address '%s' is neither unix:///path nor tcp://host:port",
		text);
}

/* The value of a variable; NULL where it is not set or empty. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] != '\0' ? value : NULL;
}

/* The certificate `name` in `folder`, if it is there. Owned by the caller. */
static char *find_certificate(const char *folder, const char *name)
{
	br_autofree char *path = br_path_join(folder, name);

	return access(path, F_OK) == 0 ? br_take_ptr(&path) : NULL;
}

static void use_certificates(struct br_address *address, const char *folder)
{
	address->ca_path = find_certificate(folder, "ca.pem");
	address->cert_path = find_certificate(folder, "cert.pem");
	address->key_path = find_certificate(folder, "key.pem");
}

/* docker's variables for a tcp address that no context describes. */
static void use_tls_variables(struct br_address *address)
{
	const char *folder = variable("DOCKER_CERT_PATH");
	br_autofree char *config = br_config_folder();

	address->is_verified = variable("DOCKER_TLS_VERIFY") != NULL;
	address->is_tls =
		address->is_verified || variable("DOCKER_TLS") || folder;
	if (!address->is_tls)
		return;
	if (folder)
		use_certificates(address, folder);
	else if (config)
		use_certificates(address, config);
}

static bool use_text(const char *text, const char *source,
	struct br_address *address, struct br_err *err)
{
	if (br_has_prefix(text, "tcp://"))
		use_tls_variables(address);
	address->source = br_strdup(source);
	return br_address_parse(text, address, err) ||
		br_wrap(err, "%s", source);
}

static bool use_context(
	const char *name, struct br_address *address, struct br_err *err)
{
	br_autocontext struct br_context context = { 0 };

	address->source = br_format("docker context '%s'", name);
	if (!br_context_load(name, &context, err))
		return br_wrap(err, "%s", address->source);
	if (br_has_prefix(context.host, "tcp://")) {
		use_certificates(address, context.tls_folder);
		address->is_tls =
			address->ca_path != NULL || address->cert_path != NULL;
		address->is_verified = !context.skips_verify;
	}
	return br_address_parse(context.host, address, err) ||
		br_wrap(err, "%s", address->source);
}

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/*
 * The first socket that may be used; else the first that is there, so that the
 * failure is about that one; else Docker's.
 */
static bool use_default(struct br_address *address, struct br_err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *folder = runtime && runtime[0] == '/' ? runtime : "";
	br_autofree char *rootless = br_path_join(folder, "docker.sock");
	br_autofree char *podman = br_path_join(folder, "podman/podman.sock");
	const char *const paths[] = { DEFAULT_SOCKET, rootless, podman,
		"/run/podman/podman.sock" };
	const char *there = NULL;
	const char *usable = NULL;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i][0] != '/' || !is_socket(paths[i]))
			continue;
		if (!there)
			there = paths[i];
		if (!usable && access(paths[i], R_OK | W_OK) == 0)
			usable = paths[i];
	}
	address->source = br_strdup("default");
	if (!there)
		there = DEFAULT_SOCKET;
	return parse_unix(usable ? usable : there, address, err);
}

static bool find(
	const char *option, struct br_address *address, struct br_err *err)
{
	if (option)
		return use_text(option, "-H", address, err);
	const char *host = variable("DOCKER_HOST");
	if (host)
		return use_text(host, "DOCKER_HOST", address, err);

	br_autofree char *current = br_context_current();
	if (current)
		return use_context(current, address, err);
	return use_default(address, err);
}

bool br_address_find(
	const char *option, struct br_address *address, struct br_err *err)
{
	br_autoaddress struct br_address found = { 0 };

	if (!find(option, &found, err))
		return false;
	*address = found;
	found = (struct br_address){ 0 };
	return true;
}
