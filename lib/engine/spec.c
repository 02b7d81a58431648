/* SPDX-License-Identifier: MIT */
/* A container's description, in the engine's words. */
#include <inttypes.h>
#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "engine/container.h"

#define PRIVATE_TARGET "/.buildr"
#define SOCKET_TARGET "/var/run/docker.sock"

static const char *network_of(const struct br_container_spec *spec)
{
	return spec->network ? spec->network : "bridge";
}

bool br_container_is_joined(const struct br_container_spec *spec)
{
	static const char mode[] = "container:";

	return !strncmp(network_of(spec), mode, strlen(mode));
}

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

/* `texts` may be NULL. */
static bool check_texts(
	const char *what, const char *const *texts, struct br_err *err)
{
	for (size_t i = 0; texts && texts[i]; i++)
		if (!check_text(what, texts[i], err))
			return false;
	return true;
}

/* Elsewhere an engine refuses it, at the start or with words that do not help. */
static bool check_alias(
	const struct br_container_spec *spec, struct br_err *err)
{
	static const char *const nameless[] = { "bridge", "default", "host",
		"none" };
	const char *network = network_of(spec);

	for (size_t i = 0; i < sizeof(nameless) / sizeof(nameless[0]); i++)
		if (spec->alias && !strcmp(network, nameless[i]))
			return br_fail(err, BR_EINPUT,
				"'%s' is not reachable by name in the network '%s': that takes one that was created",
				spec->alias, network);
	return true;
}

static bool check_spec(const struct br_container_spec *spec,
	const char *socket_path, struct br_err *err)
{
	return check_texts("command", spec->command, err) &&
		check_texts("host's name", spec->extra_hosts, err) &&
		check_text("image's name", spec->image, err) &&
		check_text("build's id", spec->build, err) &&
		check_text("project's label", spec->project_label, err) &&
		check_text("owner's label", spec->owner, err) &&
		check_text(
			"path of the private folder", spec->private_dir, err) &&
		check_text("path of the project", spec->project_dir, err) &&
		check_text("project's place", spec->project_target, err) &&
		check_text("network's name", spec->network, err) &&
		check_text("alias", spec->alias, err) &&
		check_alias(spec, err) &&
		check_text(
			"second network's name", spec->second_network, err) &&
		check_text("path of the engine's socket", socket_path, err);
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

static void add_list(
	struct br_buf *json, const char *name, const char *const *texts)
{
	br_buf_addf(json, "\"%s\":[", name);
	for (size_t i = 0; texts[i]; i++) {
		if (i > 0)
			br_buf_add_char(json, ',');
		br_json_add_string(json, br_str(texts[i]));
	}
	br_buf_add_char(json, ']');
}

void br_labels_encode(const char *build, const char *project_label,
	const char *owner, bool may_stay, struct br_buf *json)
{
	br_buf_add_text(json, "\"Labels\":{");
	add_member(json, "io.buildr.build", build);
	br_buf_add_char(json, ',');
	add_member(json, "io.buildr.project", project_label);
	br_buf_add_char(json, ',');
	add_member(json, "io.buildr.owner", owner);
	if (may_stay)
		br_buf_add_text(json, ",\"io.buildr.keep\":\"true\"");
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

/* Its name for the others in its network. */
static void add_alias(struct br_buf *json, const struct br_container_spec *spec)
{
	const char *const aliases[] = { spec->alias, NULL };

	if (!spec->alias || br_container_is_joined(spec))
		return;
	br_buf_add_text(json, ",\"NetworkingConfig\":{\"EndpointsConfig\":{");
	br_json_add_string(json, br_str(network_of(spec)));
	br_buf_add_text(json, ":{");
	add_list(json, "Aliases", aliases);
	br_buf_add_text(json, "}}}");
}

/* Init is said outright: an engine may be told to put its own first. */
static void add_host(struct br_buf *json, const struct br_container_spec *spec,
	const char *socket_path)
{
	br_buf_add_text(json,
		"\"HostConfig\":{\"AutoRemove\":true,\"Init\":false,"
		"\"LogConfig\":{\"Type\":\"none\"},");
	add_member(json, "NetworkMode", network_of(spec));
	br_buf_add_char(json, ',');
	if (spec->extra_hosts && !br_container_is_joined(spec)) {
		add_list(json, "ExtraHosts", spec->extra_hosts);
		br_buf_add_char(json, ',');
	}
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
	add_list(json, "Entrypoint", spec->command);
	/* An empty command keeps the image's from being added. */
	br_buf_add_text(json, ",\"Cmd\":[],");
	br_labels_encode(spec->build, spec->project_label, spec->owner,
		spec->may_stay, json);
	br_buf_add_char(json, ',');
	add_host(json, spec, socket_path);
	add_alias(json, spec);
	br_buf_add_char(json, '}');
	return true;
}
