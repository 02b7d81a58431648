/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <stdlib.h>

/* A NULL-terminated list, which may be NULL. */
static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void br_image_done(struct br_image *image)
{
	free(image->id);
	free(image->digest);
	free(image->user);
	free(image->architecture);
	free_list(image->entrypoint);
	free_list(image->command);
	free(image->workdir);
	free_list(image->health_command);
	*image = (struct br_image){ 0 };
}

void br_snapshots_done(struct br_snapshots *snapshots)
{
	for (size_t i = 0; i < snapshots->count; i++) {
		free(snapshots->list[i].id);
		free(snapshots->list[i].name);
		free(snapshots->list[i].identity);
		free(snapshots->list[i].project);
	}
	free(snapshots->list);
	*snapshots = (struct br_snapshots){ 0 };
}

void br_engine_info_done(struct br_engine_info *info)
{
	free(info->address);
	free(info->address_source);
	free(info->api_version);
	free(info->version);
	*info = (struct br_engine_info){ 0 };
}

void br_engine_free(struct br_engine *engine)
{
	if (engine)
		engine->ops->free(engine);
}

const char *br_engine_address(const struct br_engine *engine)
{
	return engine->ops->address(engine);
}

bool br_engine_describe(struct br_engine *engine, struct br_engine_info *info,
	struct br_err *err)
{
	return engine->ops->describe(engine, info, err);
}

bool br_engine_image(struct br_engine *engine, const char *name,
	enum br_pull pull, br_pull_fn *progress, void *ctx,
	struct br_image *image, struct br_err *err)
{
	return engine->ops->image(
		engine, name, pull, progress, ctx, image, err);
}

bool br_engine_create(struct br_engine *engine,
	const struct br_container_spec *spec, char **id, struct br_err *err)
{
	return engine->ops->create(engine, spec, id, err);
}

bool br_engine_create_network(struct br_engine *engine,
	const struct br_network_spec *spec, struct br_err *err)
{
	return engine->ops->create_network(engine, spec, err);
}

bool br_engine_copy_in(struct br_engine *engine, const char *id,
	const char *path, const void *data, size_t len, struct br_err *err)
{
	return engine->ops->copy_in(engine, id, path, data, len, err);
}

bool br_engine_attach(struct br_engine *engine, const char *id,
	struct br_attach **attach, struct br_err *err)
{
	return engine->ops->attach(engine, id, attach, err);
}

bool br_engine_start(
	struct br_engine *engine, const char *id, struct br_err *err)
{
	return engine->ops->start(engine, id, err);
}

bool br_engine_inspect(struct br_engine *engine, const char *id,
	struct br_container_state *state, struct br_err *err)
{
	return engine->ops->inspect(engine, id, state, err);
}

bool br_engine_remove(
	struct br_engine *engine, const char *id, struct br_err *err)
{
	return engine->ops->remove(engine, id, err);
}

bool br_engine_sweep(struct br_engine *engine, const struct br_sweep *sweep,
	struct br_swept *swept, struct br_err *err)
{
	return engine->ops->sweep(engine, sweep, swept, err);
}

bool br_engine_save_snapshot(struct br_engine *engine,
	const struct br_snapshot_spec *spec, struct br_err *err)
{
	return engine->ops->save_snapshot(engine, spec, err);
}

bool br_engine_list_snapshots(struct br_engine *engine,
	struct br_snapshots *snapshots, struct br_err *err)
{
	return engine->ops->list_snapshots(engine, snapshots, err);
}

bool br_engine_remove_snapshot(struct br_engine *engine, const char *name,
	bool *is_gone, struct br_err *err)
{
	return engine->ops->remove_snapshot(engine, name, is_gone, err);
}
