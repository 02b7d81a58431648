/* SPDX-License-Identifier: MIT */
/*
 * engine.h - what a build needs of a container engine, and nothing of HTTP.
 *
 * Calls block until the engine has answered, or until `cancel_fd` is readable:
 * then they fail with BR_ECANCELED. What they have begun in the engine may still
 * happen; the labels let it be found and removed.
 *
 * br_docker_open() (docker.h) makes the implementation that speaks the Docker
 * Engine API. Another engine is another `struct br_engine_ops`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/process.h"

enum br_pull {
	BR_PULL_MISSING,
	BR_PULL_ALWAYS,
	BR_PULL_NEVER,
};

/* An image that the engine has. Starts out all zero. */
struct br_image {
	/* `sha256:...` of the image's configuration. */
	char *id;
	/* Digest of what was pulled (`sha256:...`), else the same as `id`. */
	char *digest;
	/* USER of the image; "" where it has none. */
	char *user;
	/* As GOARCH has it: `amd64`, `arm64`. */
	char *architecture;
	/* What it runs: ENTRYPOINT, then CMD. NULL-terminated; NULL: none. */
	char **entrypoint;
	char **command;
	/* WORKDIR; "" where it has none. */
	char *workdir;
	/* HEALTHCHECK as argv; NULL where it has none. */
	char **health_command;
	/* Between two checks; 0: the engine's default, 30 s. */
	int64_t health_interval_ms;
};

/* Free what `image` holds. */
void br_image_done(struct br_image *image);

/*
 * Progress of a pull, at most ten times a second: bytes so far and in all, -1
 * where unknown.
 */
typedef void br_pull_fn(void *ctx, int64_t done, int64_t total);

/* What br_engine_create() makes. Strings are borrowed for the call. */
struct br_container_spec {
	const char *image;
	/* The main process; instead of the image's entry point and command. */
	const char *const *command;
	/* Values of the contract's labels. */
	const char *build;
	const char *project_label;
	const char *owner;
	/* Mounted read-only at `/.buildr`; NULL: nothing is mounted there. */
	const char *private_dir;
	/* Mounted at `project_target`; NULL: nothing is mounted there. */
	const char *project_dir;
	const char *project_target;
	/* Mount the engine's own socket at /var/run/docker.sock. */
	bool has_docker;
	/* Stdin and stdout will be attached; stdin closes with its client. */
	bool is_attached;
	/* It may outlive its owner: a label says so (br_sweep). */
	bool may_stay;
	/* 0: no limit. */
	int64_t memory_bytes;
	int64_t cpus_nano;
	int64_t pids;
	/*
	 * NULL: `bridge`. `container:<id>`: that of another, running one; what
	 * follows is then that one's, and not sent.
	 */
	const char *network;
	/* Its name in `network`, which was created; NULL: none beside its own. */
	const char *alias;
	/* Another network to connect it to before it starts; NULL: none. */
	const char *second_network;
	/* `name:address` for its /etc/hosts; NULL-terminated; NULL: none. */
	const char *const *extra_hosts;
};

/* What br_engine_create_network() makes. Strings are borrowed for the call. */
struct br_network_spec {
	const char *name;
	/* Values of the contract's labels. */
	const char *build;
	const char *project_label;
	const char *owner;
	/* As in struct br_container_spec. */
	bool may_stay;
};

/* A container's state, for error messages. Starts out all zero. */
struct br_container_state {
	bool exists;
	bool is_running;
	int exit_code;
	bool is_oom_killed;
	/* What the engine said of a failed start; "" where nothing. */
	char error[256];
};

/* What br_engine_save_snapshot() makes. Strings are borrowed for the call. */
struct br_snapshot_spec {
	/* Ids of a container, and of the image that it was made from. */
	const char *container;
	const char *image;
	/*
	 * Its name is `buildr-prepare:<tag>`. One that has the name loses it, and is
	 * nobody's then: choose tags that are not taken.
	 */
	const char *tag;
	/* Values of its labels; seconds since 1970. */
	const char *identity;
	int64_t expires_s;
};

/* An image that br_engine_save_snapshot() made. */
struct br_snapshot {
	/* `sha256:...`; and `buildr-prepare:...` in this engine's words. */
	char *id;
	char *name;
	char *identity;
	/* The label `io.buildr.project` of the container. */
	char *project;
	/* By the engine's clock, and as was said; seconds since 1970. */
	int64_t created_s;
	int64_t expires_s;
};

/* Snapshots that an engine has. Starts out all zero. */
struct br_snapshots {
	struct br_snapshot *list;
	size_t count;
	size_t capacity;
};

/* Free what `snapshots` holds. */
void br_snapshots_done(struct br_snapshots *snapshots);

/* What to sweep. */
struct br_sweep {
	/* Only what this build left; NULL: of every owner that is gone. */
	const char *build;
	/*
	 * Who asks: decides which owners are this machine's to judge. With `build`
	 * only what this process made of it; NULL: all of it.
	 */
	const struct br_process_id *self;
	/* Also running containers. Only with `build`. */
	bool is_forced;
	/*
	 * Also running containers that may stay, of this build, or of any with "".
	 * Only without `build`. NULL: they are left.
	 */
	const char *kept;
};

/* What became of what a sweep was to remove. Starts out all zero. */
struct br_swept {
	size_t removed_count;
	/* Still there: it runs, or it could not be removed. */
	size_t left_count;
	/*
	 * Listed, and not there: gone in the meantime, or long ago. Docker lists for
	 * ever what it removes while it starts, see docs/engines.md.
	 */
	size_t missing_count;
};

/* What `doctor` and the events tell of the engine. Starts out all zero. */
struct br_engine_info {
	/* `unix:///var/run/docker.sock`, and where that was found. */
	char *address;
	char *address_source;
	/* API version in use, and the engine's own version. */
	char *api_version;
	char *version;
	/* Runs without root: its containers' root is the caller. */
	bool is_rootless;
	bool is_podman;
	/* Its own command line finds it as well, without being told where. */
	bool is_usual;
};

/* Free what `info` holds. */
void br_engine_info_done(struct br_engine_info *info);

struct br_attach;
struct br_engine;

/* One implementation of an engine; each member is the call of its name. */
struct br_engine_ops {
	void (*free)(struct br_engine *engine);
	const char *(*address)(const struct br_engine *engine);
	bool (*describe)(struct br_engine *engine, struct br_engine_info *info,
		struct br_err *err);
	bool (*image)(struct br_engine *engine, const char *name,
		enum br_pull pull, br_pull_fn *progress, void *ctx,
		struct br_image *image, struct br_err *err);
	bool (*create)(struct br_engine *engine,
		const struct br_container_spec *spec, char **id,
		struct br_err *err);
	bool (*create_network)(struct br_engine *engine,
		const struct br_network_spec *spec, struct br_err *err);
	bool (*copy_in)(struct br_engine *engine, const char *id,
		const char *path, const void *data, size_t len,
		struct br_err *err);
	bool (*attach)(struct br_engine *engine, const char *id,
		struct br_attach **attach, struct br_err *err);
	bool (*start)(
		struct br_engine *engine, const char *id, struct br_err *err);
	bool (*inspect)(struct br_engine *engine, const char *id,
		struct br_container_state *state, struct br_err *err);
	bool (*remove)(
		struct br_engine *engine, const char *id, struct br_err *err);
	bool (*sweep)(struct br_engine *engine, const struct br_sweep *sweep,
		struct br_swept *swept, struct br_err *err);
	bool (*save_snapshot)(struct br_engine *engine,
		const struct br_snapshot_spec *spec, struct br_err *err);
	bool (*list_snapshots)(struct br_engine *engine,
		struct br_snapshots *snapshots, struct br_err *err);
	bool (*remove_snapshot)(struct br_engine *engine, const char *name,
		bool *is_gone, struct br_err *err);
};

/* Embedded first in the implementation's own struct. */
struct br_engine {
	const struct br_engine_ops *ops;
	/* Readable: calls give up. -1: they never do. May change any time. */
	int cancel_fd;
};

/* Free an engine, which may be NULL. */
void br_engine_free(struct br_engine *engine);

BR_DEFINE_AUTO(br_engine)

/*
 * Give its address, as `unix:///var/run/docker.sock`, without speaking to it. Borrowed.
 */
const char *br_engine_address(const struct br_engine *engine) BR_NONNULL_RESULT;

/*
 * Say what the engine is; the first call that speaks to it.
 *
 * Ownership: the caller frees the contents with br_engine_info_done(). Fails
 * with BR_EUNAVAIL where nothing answers, the socket is another program's, or
 * permission is missing (each with its remedy), and with BR_EPROTO where the
 * engine's API is too old or too new.
 */
bool br_engine_describe(struct br_engine *engine, struct br_engine_info *info,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Have the image `name` there, pulled as `pull` says, and describe it.
 *
 * `name` has a tag or digest, or gets `:latest`. `progress` (may be NULL) is
 * called only while a pull runs. Ownership: br_image_done(). Fails with
 * BR_ENOTFOUND where there is no such image, BR_EUNAVAIL where engine or registry
 * do not answer or refuse.
 */
bool br_engine_image(struct br_engine *engine, const char *name,
	enum br_pull pull, br_pull_fn *progress, void *ctx,
	struct br_image *image, struct br_err *err) BR_MUST_CHECK;

/*
 * Create a container that the engine removes by itself when it ends, without a
 * log and without the image's HEALTHCHECK, and connect it to its networks.
 *
 * Ownership: the caller frees *id with free(). Fails with BR_ENOTFOUND where the
 * engine does not see a folder of `spec` that is to be mounted (the text names
 * it), BR_EINPUT where it refuses the request or there is no such network (Docker
 * says that of most only at the start), else BR_EUNAVAIL or BR_EPROTO.
 */
bool br_engine_create(struct br_engine *engine,
	const struct br_container_spec *spec, char **id,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Create a network in which containers find each other by their aliases. The
 * sweep removes it, when no container is in it any more.
 *
 * Fails with BR_EINPUT where there is one of that name, BR_EUNAVAIL where the engine
 * has no addresses left for one (the text has the remedy), else as
 * br_engine_create().
 */
bool br_engine_create_network(struct br_engine *engine,
	const struct br_network_spec *spec, struct br_err *err) BR_MUST_CHECK;

/*
 * Put an executable file at the absolute `path` (its folder is made) into a
 * container that was created but not started.
 */
bool br_engine_copy_in(struct br_engine *engine, const char *id,
	const char *path, const void *data, size_t len,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Attach to the stdin and stdout of a container that is not started yet.
 *
 * Ownership: the caller closes *attach with br_attach_close() (attach.h), which
 * closes the container's stdin.
 */
bool br_engine_attach(struct br_engine *engine, const char *id,
	struct br_attach **attach, struct br_err *err) BR_MUST_CHECK;

/*
 * Start a container.
 *
 * Fails with BR_EINPUT where its command cannot be executed, with the engine's
 * words, or there is no such network.
 */
bool br_engine_start(struct br_engine *engine, const char *id,
	struct br_err *err) BR_MUST_CHECK;

/* Look at a container. One that is not there is a success with !exists. */
bool br_engine_inspect(struct br_engine *engine, const char *id,
	struct br_container_state *state, struct br_err *err) BR_MUST_CHECK;

/*
 * Kill and remove a container and its anonymous volumes. One that is not there,
 * or that is being removed, is a success.
 */
bool br_engine_remove(struct br_engine *engine, const char *id,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Remove containers that were created or have exited, and networks, by label. A
 * network that a running container is in stays, as that container does.
 *
 * What cannot be removed is left for the next sweep; the call then fails with the
 * first cause after having tried all.
 */
bool br_engine_sweep(struct br_engine *engine, const struct br_sweep *sweep,
	struct br_swept *swept, struct br_err *err) BR_MUST_CHECK;

/*
 * Make an image of what a container has written to its own file system, with the
 * labels that br_engine_list_snapshots() finds and else the settings of the image
 * that it was made from. What is mounted is not in it.
 *
 * The container is not paused: what writes in it meanwhile may be there in part. Fails
 * with BR_ENOTFOUND where the container or its image is gone, BR_EUNAVAIL where the
 * engine cannot, as for lack of space.
 */
bool br_engine_save_snapshot(struct br_engine *engine,
	const struct br_snapshot_spec *spec, struct br_err *err) BR_MUST_CHECK;

/*
 * List the snapshots that the engine has, by their label. Images that somebody made from
 * one have that too, and are left out: they have other names or none.
 *
 * Ownership: the caller frees the contents with br_snapshots_done().
 */
bool br_engine_list_snapshots(struct br_engine *engine,
	struct br_snapshots *snapshots, struct br_err *err) BR_MUST_CHECK;

/*
 * Remove the snapshot of that name (struct br_snapshot), and no other image. *is_gone
 * says whether it is: one that a container was made from stays. One that is not there
 * is gone.
 */
bool br_engine_remove_snapshot(struct br_engine *engine, const char *name,
	bool *is_gone, struct br_err *err) BR_MUST_CHECK;
