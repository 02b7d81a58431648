/* SPDX-License-Identifier: MIT */
/* doctor_engine.c - the checks of the engine and of the registries. */
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "cmd/doctor/doctor.h"
#include "cmd/doctor/try_wire.h"
#include "engine/address.h"
#include "engine/docker.h"
#include "engine/facts.h"
#include "engine/login.h"
#include "engine/reference.h"
#include "manifest/manifest.h"

/* For all questions together. */
enum { ENGINE_SECONDS = 15 };

static bool has_program(const char *name)
{
	static const char *const folders[] = { "/usr/bin", "/usr/sbin",
		"/usr/local/bin", "/usr/local/sbin" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		br_autofree char *path = br_path_join(folders[i], name);

		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* What to type where the address that somebody has chosen is no good. */
static const char *mend_source(struct doctor *doctor, const char *source)
{
	if (!strcmp(source, "DOCKER_HOST"))
		return "start that engine, or: unset DOCKER_HOST";
	if (br_has_prefix(source, "docker context"))
		return "start that engine, or: docker context use default";
	return br_arena_format(&doctor->arena,
		"start that engine, or call buildr without %s", source);
}

/* What to type where nobody answers at `address`. */
static const char *mend_engine(
	struct doctor *doctor, const struct br_address *address)
{
	const char *path = address->socket_path;

	if (address->source && strcmp(address->source, "default") != 0)
		return mend_source(doctor, address->source);
	if (path && access(path, F_OK) == 0 && access(path, W_OK) < 0)
		return br_arena_format(&doctor->arena,
			"sudo usermod -aG \"$(stat -c %%G '%s')\" \"$USER\", "
			"then log in again",
			path);
	if (has_program("dockerd"))
		return access("/run/systemd/system", F_OK) == 0
			? "sudo systemctl start docker"
			: "sudo service docker start";
	if (has_program("podman"))
		return "systemctl --user start podman.socket";
	return access("/etc/debian_version", F_OK) == 0
		? "sudo apt-get install docker.io"
		: "install Docker or Podman";
}

static void no_engine(struct doctor *doctor, const struct br_err *err)
{
	br_autoaddress struct br_address address = { 0 };
	struct br_err why = { 0 };

	/* It has named the culprit itself where not even an address was found. */
	if (!br_address_find(doctor->options->docker_sock, &address, &why))
		doctor_wrong(doctor, "engine",
			br_has_prefix(why.text, "DOCKER_HOST")
				? "unset DOCKER_HOST"
				: "look at -H, DOCKER_HOST and 'docker context "
				  "ls'",
			"%s", err->text);
	else
		doctor_wrong(doctor, "engine", mend_engine(doctor, &address),
			"%s; the address is from: %s",
			err->code == BR_ECANCELED
				? "the engine takes a connection and does not "
				  "answer"
				: err->text,
			address.source);
}

static void tell_engine(struct doctor *doctor,
	const struct br_engine_info *info, const struct br_facts *facts)
{
	doctor_ok(doctor, "engine", "%s %s at %s, which is from: %s",
		facts->is_podman ? "Podman" : "Docker", info->version,
		info->address, info->address_source);
	doctor_ok(doctor, "api", "%s is spoken, of %s to %s", info->api_version,
		facts->api_oldest, facts->api_newest);
	doctor_ok(doctor, "root", "%s",
		!facts->is_rootless ? "the engine has root's rights"
			: facts->is_unlimited
			? "the engine is without root's rights; with cgroups v1 "
			  "it can set no limits, and builds with 'limits' are "
			  "refused"
			: "the engine is without root's rights");
}

/* The project that builds would mount; NULL: there is none here. */
static const char *find_project(struct doctor *doctor)
{
	const struct options *options = doctor->options;
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };
	const char *project = NULL;

	if (br_manifest_open(
		    options->path, options->file, &manifest, &diags, &err) &&
		manifest)
		project =
			br_arena_strdup(&doctor->arena, manifest->project_dir);
	br_diags_done(&diags);
	return project;
}

static void try_wires(struct doctor *doctor, struct br_engine *engine,
	const struct br_facts *facts)
{
	const char *project = find_project(doctor);
	struct br_err socket = { 0 };
	struct br_err stdio = { 0 };

	if (!facts->image) {
		doctor_ok(doctor, "wire",
			"not tried, since the engine has no image");
		return;
	}
	if (try_wire(engine, facts->image, project, BR_WIRE_SOCKET, &socket))
		doctor_ok(doctor, "wire",
			"a socket; tried in a container of %s", facts->image);
	else if (try_wire(engine, facts->image, project, BR_WIRE_STDIO, &stdio))
		doctor_ok(doctor, "wire",
			"the engine's streams, since over a socket: %s",
			socket.text);
	else
		doctor_wrong(doctor, "wire", NULL,
			"no container of %s can be used: %s", facts->image,
			stdio.text);
}

static int start_timer(void)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = ENGINE_SECONDS },
	};
	br_autoclose int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &when, NULL) < 0)
		return -1;
	return br_take_fd(&fd);
}

void doctor_engine(struct doctor *doctor)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	const struct br_docker_options where = {
		.address = doctor->options->docker_sock,
	};
	br_autoclose int timer = start_timer();
	br_autofacts struct br_facts facts = { 0 };
	struct br_engine_info info = { 0 };
	struct br_err err = { 0 };

	if (!br_docker_open(&where, &engine, &err)) {
		no_engine(doctor, &err);
		return;
	}
	engine->cancel_fd = timer;
	if (!br_engine_describe(engine, &info, &err) ||
		!br_docker_facts(engine, &facts, &err)) {
		br_engine_info_done(&info);
		no_engine(doctor, &err);
		return;
	}
	engine->cancel_fd = -1;
	tell_engine(doctor, &info, &facts);
	/* The engine's own, where that is this machine. */
	if (!strncmp(info.address, "unix://", strlen("unix://")))
		doctor_room(doctor, facts.root_dir, "the engine's images",
			facts.is_podman ? "podman system prune"
					: "docker system prune");
	try_wires(doctor, engine, &facts);
	br_engine_info_done(&info);
}

/* Registries. */

struct registries {
	struct br_arena *arena;
	const char **names;
	size_t count;
	size_t capacity;
};

static void add_registry(void *ctx, const char *registry)
{
	struct registries *registries = ctx;

	for (size_t i = 0; i < registries->count; i++)
		if (!strcmp(registries->names[i], registry))
			return;
	registries->names = br_grow(registries->names, registries->count,
		&registries->capacity, sizeof(*registries->names));
	registries->names[registries->count++] =
		br_arena_strdup(registries->arena, registry);
}

static void add_image(struct registries *registries, const char *image)
{
	br_autoreference struct br_reference reference = { 0 };
	struct br_err err = { 0 };

	if (image && br_reference_parse(image, &reference, &err) &&
		!reference.is_id)
		add_registry(registries, reference.registry);
}

/* Of what the project runs in, if it has a manifest. */
static void add_manifest(
	const struct options *options, struct registries *registries)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };

	if (br_manifest_open(
		    options->path, options->file, &manifest, &diags, &err) &&
		manifest) {
		add_image(registries, manifest->image);
		for (size_t i = 0; i < manifest->stage_count; i++)
			add_image(registries, manifest->stages[i].image);
	}
	br_diags_done(&diags);
}

/* docker's config.json; NULL where there is none, or it is broken, which is told. */
static struct br_config *open_config(struct doctor *doctor)
{
	br_autofree char *folder = br_config_folder();
	struct br_buf text = { 0 };
	struct br_config *config = NULL;
	struct br_err err = { 0 };

	if (!folder)
		return NULL;

	br_autofree char *path = br_path_join(folder, "config.json");
	bool is_good =
		br_file_load(path, BR_LIMIT_DOCKER_CONFIG_BYTES, &text, &err) &&
		br_config_parse(br_buf_str(&text), &config, &err);

	if (!is_good && err.code != BR_ENOTFOUND)
		doctor_wrong(doctor, "registry",
			br_arena_format(&doctor->arena,
				"mv '%s' '%s.broken', then docker login", path,
				path),
			"%s: %s", path, err.text);
	/* It holds secrets. */
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	br_buf_done(&text);
	return config;
}

static void check_registry(struct doctor *doctor,
	const struct br_config *config, const char *registry)
{
	br_autocredentials struct br_credentials credentials = { 0 };
	br_autologin struct br_login login = { 0 };
	struct br_err err = { 0 };

	if (config && !br_config_find(config, registry, &login, &err))
		login.helper = NULL;
	br_credentials_find(registry, -1, &credentials);
	if (credentials.problem)
		doctor_wrong(doctor, "registry",
			br_arena_format(&doctor->arena, "docker login %s",
				strcmp(registry, "docker.io") ? registry : ""),
			"%s", credentials.problem);
	else if (!credentials.header)
		doctor_ok(doctor, "registry",
			"%s: no credentials, pulls are anonymous", registry);
	else if (login.helper)
		doctor_ok(doctor, "registry",
			"%s: credentials of docker-credential-%s", registry,
			login.helper);
	else
		doctor_ok(doctor, "registry",
			"%s: credentials of docker's config.json", registry);
}

void doctor_registries(struct doctor *doctor)
{
	br_auto(br_config) struct br_config *config = open_config(doctor);
	struct registries registries = { .arena = &doctor->arena };

	if (config)
		br_config_each(config, add_registry, &registries);
	add_manifest(doctor->options, &registries);
	for (size_t i = 0; i < registries.count; i++)
		check_registry(doctor, config, registries.names[i]);
	free(registries.names);
}
