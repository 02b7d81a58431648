/* SPDX-License-Identifier: MIT */
/* The request for a container: what is asked for, and why it is refused. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "engine/container.h"
#include "engine/json.h"
#include "engine/rootless.h"

enum {
	CREATE_TIMEOUT_MS = 60 * 1000,
	/* Containers of an earlier try of the same build that are still there. */
	NAME_TRIES = 16,
};

#define PRIVATE_TARGET "/.buildr"
#define SOCKET_TARGET "/var/run/docker.sock"

static bool is_text(const char *text)
{
	return !text || br_utf8_is_valid(text, strlen(text));
}

static bool check_text(const char *what, const char *text, struct br_err *err)
{
	return is_text(text) ||
		br_fail(err, BR_EINPUT,
			"the %s is not UTF-8, which a request to the engine must be",
			what);
}

static bool check_spec(const struct br_container_spec *spec,
	const char *socket_path, struct br_err *err)
{
	for (size_t i = 0; spec->command[i]; i++)
		if (!check_text("command", spec->command[i], err))
			return false;
	return check_text("image's name", spec->image, err) &&
		check_text("build's id", spec->build, err) &&
		check_text("project's label", spec->project_label, err) &&
		check_text("owner's label", spec->owner, err) &&
		check_text(
			"path of the private folder", spec->private_dir, err) &&
		check_text("path of the project", spec->project_dir, err) &&
		check_text("project's place", spec->project_target, err) &&
		check_text("network's name", spec->network, err) &&
		check_text("path of the engine's socket", socket_path, err);
}

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

static void add_member(struct br_buf *json, const char *name, const char *value)
{
	br_buf_addf(json, "\"%s\":", name);
	br_json_add_string(json, br_str(value));
}

static void add_bool(struct br_buf *json, const char *name, bool value)
{
	br_buf_addf(json, "\"%s\":%s", name, value ? "true" : "false");
}

static void add_command(struct br_buf *json, const char *const *command)
{
	br_buf_add_text(json, "\"Entrypoint\":[");
	for (size_t i = 0; command[i]; i++) {
		if (i > 0)
			br_buf_add_char(json, ',');
		br_json_add_string(json, br_str(command[i]));
	}
	/* An empty command keeps the image's from being added. */
	br_buf_add_text(json, "],\"Cmd\":[]");
}

static void add_labels(
	struct br_buf *json, const struct br_container_spec *spec)
{
	br_buf_add_text(json, "\"Labels\":{");
	add_member(json, "io.buildr.build", spec->build);
	br_buf_add_char(json, ',');
	add_member(json, "io.buildr.project", spec->project_label);
	br_buf_add_char(json, ',');
	add_member(json, "io.buildr.owner", spec->owner);
	br_buf_add_char(json, '}');
}

/* Never a "bind": those make a folder that is missing, as root. */
static void add_mount(struct br_buf *json, const char *source,
	const char *target, bool is_read_only)
{
	if (json->data[json->len - 1] != '[')
		br_buf_add_char(json, ',');
	br_buf_add_text(json, "{\"Type\":\"bind\",");
	add_member(json, "Source", source);
	br_buf_add_char(json, ',');
	add_member(json, "Target", target);
	br_buf_add_char(json, ',');
	add_bool(json, "ReadOnly", is_read_only);
	br_buf_add_char(json, '}');
}

static void add_mounts(struct br_buf *json,
	const struct br_container_spec *spec, const char *socket_path)
{
	br_buf_add_text(json, "\"Mounts\":[");
	if (spec->private_dir)
		add_mount(json, spec->private_dir, PRIVATE_TARGET, true);
	if (spec->project_dir)
		add_mount(json, spec->project_dir, spec->project_target, false);
	if (spec->has_docker)
		add_mount(json, socket_path, SOCKET_TARGET, false);
	br_buf_add_char(json, ']');
}

static void add_limits(
	struct br_buf *json, const struct br_container_spec *spec)
{
	/* With the two alike there is no swap, which would hide the limit. */
	if (spec->memory_bytes > 0)
		br_buf_addf(json,
			",\"Memory\":%" PRId64 ",\"MemorySwap\":%" PRId64,
			spec->memory_bytes, spec->memory_bytes);
	if (spec->cpus_nano > 0)
		br_buf_addf(json, ",\"NanoCpus\":%" PRId64, spec->cpus_nano);
	if (spec->pids > 0)
		br_buf_addf(json, ",\"PidsLimit\":%" PRId64, spec->pids);
}

/* Init is said outright: an engine may be told to put its own first. */
static void add_host(struct br_buf *json, const struct br_container_spec *spec,
	const char *socket_path)
{
	br_buf_add_text(json,
		"\"HostConfig\":{\"AutoRemove\":true,\"Init\":false,"
		"\"LogConfig\":{\"Type\":\"none\"},");
	add_member(
		json, "NetworkMode", spec->network ? spec->network : "bridge");
	br_buf_add_char(json, ',');
	add_mounts(json, spec, socket_path);
	add_limits(json, spec);
	br_buf_add_char(json, '}');
}

bool br_container_encode(const struct br_container_spec *spec,
	const char *socket_path, struct br_buf *json, struct br_err *err)
{
	if (!check_spec(spec, socket_path, err))
		return false;

	br_buf_add_char(json, '{');
	add_member(json, "Image", spec->image);
	br_buf_add_text(json,
		",\"User\":\"0\",\"WorkingDir\":\"/\",\"Tty\":false,"
		"\"Healthcheck\":{\"Test\":[\"NONE\"]},");
	/* StdinOnce: its client's end, whatever ended it, closes stdin. */
	add_bool(json, "OpenStdin", spec->is_attached);
	br_buf_add_char(json, ',');
	add_bool(json, "StdinOnce", spec->is_attached);
	br_buf_add_char(json, ',');
	add_bool(json, "AttachStdin", spec->is_attached);
	br_buf_add_char(json, ',');
	add_bool(json, "AttachStdout", spec->is_attached);
	br_buf_add_char(json, ',');
	add_bool(json, "AttachStderr", spec->is_attached);
	br_buf_add_char(json, ',');
	add_command(json, spec->command);
	br_buf_add_char(json, ',');
	add_labels(json, spec);
	br_buf_add_char(json, ',');
	add_host(json, spec, socket_path);
	br_buf_add_char(json, '}');
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

static bool refuse(const struct br_container_spec *spec,
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
	/* The rest of what is not found (a network) is the caller's to name. */
	(void)br_http_refuse(answer, err);
	if (answer->status == 404)
		return br_fail(err, BR_EINPUT, "the engine says: %s", message);
	return false;
}

static bool is_name_taken(const struct br_http_answer *answer)
{
	return answer->status == 409 &&
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

bool br_container_create(struct br_http *http,
	const struct br_container_spec *spec, unsigned *number, char **id,
	struct br_err *err)
{
	const struct br_address *address = br_http_address(http);
	const char *socket_path =
		address->socket_path ? address->socket_path : SOCKET_TARGET;
	br_autobuf struct br_buf json = { 0 };
	br_autoanswer struct br_http_answer answer = { 0 };

	if (!check_mounts(http, spec, socket_path, err) ||
		!check_limits(http, spec, err) ||
		!br_container_encode(spec, socket_path, &json, err))
		return br_wrap(err, "create a container");
	for (int i = 0; i < NAME_TRIES; i++) {
		*number += 1;
		if (!ask(http, spec, &json, *number, &answer, err))
			return br_wrap(err, "create a container");
		if (!is_name_taken(&answer))
			break;
	}
	if (answer.status != 201 && answer.status != 200) {
		(void)refuse(spec, &answer, err);
		return br_wrap(err, "create a container");
	}
	return br_container_id_parse(br_buf_str(&answer.body), id, err) ||
		br_wrap(err, "create a container");
}
