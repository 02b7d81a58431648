/* SPDX-License-Identifier: MIT */
/* The request for a container: what is asked for, and why it is refused. */
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "engine/container.h"
#include "engine/json.h"
#include "engine/network.h"
#include "engine/rootless.h"

enum {
	CREATE_TIMEOUT_MS = 60 * 1000,
	/* Containers of an earlier try of the same build that are still there. */
	NAME_TRIES = 16,
};

#define SOCKET_TARGET "/var/run/docker.sock"

/*
 * Podman makes one text of a mount, its parts between commas: with a comma in it a
 * path ends there, and what follows is an option.
 */
static bool check_mounts(struct br_http *http,
	const struct br_container_spec *spec, const char *socket_path,
	struct br_err *err)
{
	const char *const paths[] = { spec->private_dir, spec->project_dir,
		spec->project_target, spec->has_docker ? socket_path : NULL };

	if (!br_http_greet(http, err))
		return false;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (br_http_is_podman(http) && paths[i] &&
			strchr(paths[i], ','))
			return br_fail(err, BR_EINPUT,
				"Podman cannot mount '%s': there is a comma in the path",
				paths[i]);
	return true;
}

/* Better no container than one that a limit does not hold. */
static bool check_limits(struct br_http *http,
	const struct br_container_spec *spec, struct br_err *err)
{
	struct br_rootless rootless = { 0 };

	if (spec->memory_bytes <= 0 && spec->cpus_nano <= 0 && spec->pids <= 0)
		return true;
	if (!br_rootless_find(http, &rootless, err))
		return false;
	if (rootless.is_unlimited)
		return br_fail(err, BR_EINPUT,
			"limits have no effect in an engine without root on a system with cgroups v1: take them out of the manifest, or use another engine");
	return true;
}

/*
 * The folder to be mounted that the engine does not see, if that is why it refused:
 * Docker says "bind source path does not exist", Podman what stat(2) said.
 */
static const char *find_missing(
	const struct br_container_spec *spec, const char *message)
{
	if (!strstr(message, "bind source path does not exist") &&
		!strstr(message, "no such file or directory"))
		return NULL;
	if (spec->private_dir && strstr(message, spec->private_dir))
		return spec->private_dir;
	if (spec->project_dir && strstr(message, spec->project_dir))
		return spec->project_dir;
	return NULL;
}

static bool refuse(struct br_http *http, const struct br_container_spec *spec,
	const struct br_http_answer *answer, struct br_err *err)
{
	br_autofree char *message = br_http_message(br_buf_str(&answer->body));
	const char *missing = find_missing(spec, message);

	if (missing)
		return br_fail(err, BR_ENOTFOUND,
			"the engine does not see '%s'", missing);
	if (answer->status == 404 && strstr(message, "o such image"))
		return br_fail(err, BR_ENOTFOUND,
			"the engine does not have the image '%s'", spec->image);
	if (spec->network && br_network_is_missing(message)) {
		br_autofree char *name = br_network_find_missing(message);

		return br_network_fail_missing(
			http, name ? name : spec->network, err);
	}
	/* The rest of what is not found is the caller's to name. */
	(void)br_http_refuse(answer, err);
	if (answer->status == 404)
		return br_fail(err, BR_EINPUT, "the engine says: %s", message);
	return false;
}

/* Podman says 500 where another request has taken it a moment before. */
static bool is_name_taken(const struct br_http_answer *answer)
{
	return (answer->status == 409 || answer->status == 500) &&
		strstr(br_buf_text(&answer->body), "already in use");
}

bool br_container_id_parse(struct br_str text, char **id, struct br_err *err)
{
	br_autojson struct cJSON *value = NULL;

	if (!br_json_parse(text, &value, err))
		return br_wrap(err, "the engine's answer");

	const char *found = br_json_find_text(value, "Id");
	/* It becomes part of paths. */
	if (found[0] == '\0' ||
		strspn(found, "0123456789abcdef") != strlen(found))
		return br_fail(err, BR_EPROTO,
			"the engine's answer has no id of a container");
	*id = br_strdup(found);
	return true;
}

static bool ask(struct br_http *http, const struct br_container_spec *spec,
	const struct br_buf *json, unsigned number,
	struct br_http_answer *answer, struct br_err *err)
{
	br_autobuf struct br_buf path = { 0 };

	br_buf_add_text(&path, "/containers/create?name=buildr-");
	br_http_add_escaped(&path, spec->build);
	br_buf_addf(&path, "-%u", number);
	return br_http_call(http,
		&(struct br_http_request){
			.method = "POST",
			.path = path.data,
			.body = json->data,
			.body_len = json->len,
			.content_type = "application/json",
			.is_once = true,
			.timeout_ms = CREATE_TIMEOUT_MS,
		},
		answer, err);
}

/* Ask for the container until one of the names is free. */
static bool create(struct br_http *http, const struct br_container_spec *spec,
	const struct br_buf *json, unsigned *number, char **id,
	struct br_err *err)
{
	br_autoanswer struct br_http_answer answer = { 0 };

	for (int i = 0; i < NAME_TRIES; i++) {
		*number += 1;
		if (!ask(http, spec, json, *number, &answer, err))
			return false;
		if (!is_name_taken(&answer))
			break;
	}
	if (answer.status != 201 && answer.status != 200)
		return refuse(http, spec, &answer, err);
	return br_container_id_parse(br_buf_str(&answer.body), id, err);
}

/* Only at its creation API 1.44 takes more than one network. */
static bool connect_second(struct br_http *http,
	const struct br_container_spec *spec, const char *id,
	struct br_err *err)
{
	struct br_err ignored = { 0 };

	if (!spec->second_network || br_container_is_joined(spec) ||
		br_network_connect(http, spec->second_network, id, err))
		return true;
	/* Where this fails too, the sweep finds it by its label. */
	(void)!br_container_remove(http, id, &ignored);
	return false;
}

bool br_container_create(struct br_http *http,
	const struct br_container_spec *spec, unsigned *number, char **id,
	struct br_err *err)
{
	const struct br_address *address = br_http_address(http);
	const char *socket_path =
		address->socket_path ? address->socket_path : SOCKET_TARGET;
	br_autobuf struct br_buf json = { 0 };
	br_autofree char *created = NULL;

	if (!check_mounts(http, spec, socket_path, err) ||
		!check_limits(http, spec, err) ||
		!br_container_encode(spec, socket_path, &json, err) ||
		!create(http, spec, &json, number, &created, err) ||
		!connect_second(http, spec, created, err))
		return br_wrap(err, "create a container");
	*id = br_take_ptr(&created);
	return true;
}
