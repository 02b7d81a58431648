/* SPDX-License-Identifier: MIT */
#include "run/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "run/looks.h"
#include "session/private.h"

/* How the containers of the project are connected, by the manifest's `network`. */
static bool is_network(const struct br_plan *plan, const char *name)
{
	return plan->network && strcmp(plan->network, name) == 0;
}

/* With these there is nothing that containers would have to share. */
static bool has_plain_network(const struct br_plan *plan)
{
	return is_network(plan, "host") || is_network(plan, "none");
}

static bool has_own_network(const struct br_plan *plan)
{
	return plan->service_count > 0 && !is_network(plan, "host");
}

/* Services in the host's network are reached there by their aliases. */
static char **make_extra_hosts(const struct br_plan *plan)
{
	char **lines = br_alloc_array(plan->service_count + 1, sizeof(*lines));

	for (size_t i = 0; i < plan->service_count; i++)
		lines[i] = br_format("%s:127.0.0.1", plan->services[i].alias);
	return lines;
}

void br_hosts_init(struct br_hosts *hosts,
	const struct br_hosts_options *options, size_t count)
{
	const struct br_plan *plan = options->plan;

	*hosts = (struct br_hosts){
		.options = *options,
		.items = br_alloc_array(count, sizeof(*hosts->items)),
	};
	if (has_own_network(plan))
		hosts->network = br_format("buildr-%s-%u",
			options->run->bus->build, options->run->bus->attempt);
	else if (plan->service_count > 0)
		hosts->extra_hosts = make_extra_hosts(plan);
}

void br_hosts_done(struct br_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		br_container_close(&hosts->items[i].container);
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->items[i].kept_id);
	for (size_t i = 0; hosts->extra_hosts && hosts->extra_hosts[i]; i++)
		free(hosts->extra_hosts[i]);
	free(hosts->extra_hosts);
	free(hosts->network);
	free(hosts->items);
	*hosts = (struct br_hosts){ 0 };
}

struct br_host *br_hosts_add(struct br_hosts *hosts, const char *image,
	const struct br_plan_service *service)
{
	struct br_host *host = &hosts->items[hosts->count++];

	*host = (struct br_host){
		.image = image,
		.service = service,
		.owner = hosts,
		.container = BR_CONTAINER_CLOSED,
		.slot = SIZE_MAX,
	};
	return host;
}

static bool is_live(const struct br_host *host)
{
	return host->state == BR_HOST_OPENING || host->state == BR_HOST_UP ||
		host->state == BR_HOST_ENDING;
}

void br_host_want(struct br_host *host)
{
	if (host->state == BR_HOST_CLOSED || host->state == BR_HOST_LOST)
		host->state = BR_HOST_WANTED;
	else if (host->state == BR_HOST_LEAVING)
		host->is_wanted_again = true;
}

static void close_host(struct br_host *host, enum br_host_state state)
{
	struct br_hosts *hosts = host->owner;

	br_container_close(&host->container);
	br_private_end(hosts->options.private_path);
	host->state = state;
	if (hosts->anchor != host)
		return;
	hosts->anchor = NULL;
	hosts->is_anchor_ready = false;
}

/* Say what became of a container that has stopped talking to us. */
static void explain_loss(const struct br_host *host, struct br_err *err)
{
	struct br_engine *engine = host->owner->options.run->engine;
	struct br_container_state state = { 0 };
	struct br_err ignored = { 0 };

	/* While it was starting, `err` is the engine's own word. */
	if (err->code != BR_EUNAVAIL || !host->container.is_up)
		return;
	if (!br_engine_inspect(engine, host->container.id, &state, &ignored)) {
		/* Who asks to stop does not wait for the answer. */
		if (ignored.code != BR_ECANCELED)
			br_fail(err, BR_EUNAVAIL,
				"the connection to the container was lost, and "
				"the engine does not answer: %s",
				ignored.text);
	} else if (state.is_oom_killed) {
		br_fail(err, BR_EUNAVAIL,
			"the container was killed: out of memory");
	} else if (!state.is_running) {
		br_fail(err, BR_EUNAVAIL,
			"the container was ended by something else than this "
			"build");
	}
}

/* The anchor is lost: what was about to join it begins anew. */
static void begin_anew(struct br_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		struct br_host *host = &hosts->items[i];

		if (host->state == BR_HOST_OPENING && host->is_guest)
			close_host(host, BR_HOST_WANTED);
		host->is_guest = false;
	}
}

static void lose(struct br_host *host, const struct br_err *cause)
{
	struct br_hosts *hosts = host->owner;
	bool is_anchor = hosts->anchor == host;

	host->err = *cause;
	host->was_ending = host->state == BR_HOST_ENDING;
	explain_loss(host, &host->err);
	hosts->is_unclean = true;
	close_host(host, BR_HOST_LOST);
	if (is_anchor)
		begin_anew(hosts);
	hosts->options.changed(hosts->options.ctx, host);
}

/* Where the container goes; `anchor_network` holds what it points to. */
static void choose_place(struct br_host *host, char **anchor_network,
	struct br_starter_place *place)
{
	struct br_hosts *hosts = host->owner;
	const struct br_plan *plan = hosts->options.plan;
	bool has_extra_network =
		hosts->network && plan->network && !is_network(plan, "bridge");

	host->is_guest = hosts->anchor && !host->service;
	place->is_held = host->is_guest && !hosts->is_anchor_ready;
	place->is_service = host->service != NULL;
	place->extra_hosts = (const char *const *)hosts->extra_hosts;
	if (host->service) {
		place->network = hosts->network;
		place->alias = hosts->network ? host->service->alias : NULL;
	} else if (hosts->anchor && !has_plain_network(plan)) {
		*anchor_network =
			br_format("container:%s", hosts->anchor->container.id);
		place->network = *anchor_network;
		place->extra_hosts = NULL;
	} else {
		place->network = hosts->network;
		place->second_network =
			has_extra_network ? plan->network : NULL;
		if (!hosts->is_network_made)
			place->new_network = hosts->network;
	}
}

static bool open_host(struct br_host *host, struct br_err *err)
{
	struct br_hosts *hosts = host->owner;
	const struct br_hosts_options *options = &hosts->options;
	br_autofree char *folder = br_format(
		"%s/%u", options->private_path, hosts->folder_count++);
	br_autofree char *anchor_network = NULL;
	struct br_container_options how = {
		.engine = options->run->engine,
		.plan = options->plan,
		.image = host->image,
		.pull = options->run->pull,
		.build = options->run->bus->build,
		.owner = options->owner,
		.private_path = folder,
		.wire = options->run->wire,
		.emitter = options->emitter,
		.handlers = host->handlers,
		.may_stay = options->run->is_keep,
		.prepared_store = host->may_be_prepared
			? options->run->cache->folder
			: NULL,
		.repo = options->run->repo,
	};

	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->items[i].is_image_told &&
			strcmp(hosts->items[i].image, host->image) == 0)
			how.is_image_told = true;
	if (br_looks_have(options->looks, host->image))
		how.is_image_told = true;
	if (how.is_image_told && how.pull == BR_PULL_ALWAYS)
		how.pull = BR_PULL_MISSING;
	choose_place(host, &anchor_network, &how.place);
	if (!hosts->anchor && !host->service)
		hosts->anchor = host;
	host->state = BR_HOST_OPENING;
	return br_private_begin(options->private_path, err) &&
		br_container_open(&how, &host->container, err);
}

/* Whether another host is about to get the same image. */
static bool is_image_awaited(const struct br_host *host)
{
	const struct br_hosts *hosts = host->owner;

	if (br_looks_are_open(hosts->options.looks, host->image))
		return true;
	for (size_t i = 0; i < hosts->count; i++) {
		const struct br_host *other = &hosts->items[i];

		if (other->state == BR_HOST_OPENING &&
			!other->container.is_image_ready &&
			strcmp(other->image, host->image) == 0)
			return true;
	}
	return false;
}

static bool may_open(const struct br_host *host)
{
	const struct br_hosts *hosts = host->owner;
	const struct br_host *anchor = hosts->anchor;

	if (is_image_awaited(host))
		return false;
	if (host->service)
		return !hosts->network || hosts->is_network_made;
	return !anchor || has_plain_network(hosts->options.plan) ||
		anchor->container.id;
}

static void close_leaving(struct br_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		struct br_host *host = &hosts->items[i];

		if (host->state != BR_HOST_LEAVING)
			continue;
		close_host(host,
			host->is_wanted_again ? BR_HOST_WANTED
					      : BR_HOST_CLOSED);
		host->is_wanted_again = false;
	}
}

bool br_hosts_open(struct br_hosts *hosts)
{
	bool is_any_lost = false;

	close_leaving(hosts);
	for (size_t i = 0; i < hosts->count; i++) {
		struct br_host *host = &hosts->items[i];
		struct br_err err = { 0 };

		if (host->state == BR_HOST_WANTED && may_open(host) &&
			!open_host(host, &err)) {
			lose(host, &err);
			is_any_lost = true;
		}
	}
	return is_any_lost;
}

size_t br_hosts_poll_count(const struct br_hosts *hosts)
{
	size_t count = 0;

	for (size_t i = 0; i < hosts->count; i++)
		if (is_live(&hosts->items[i]))
			count += BR_CONTAINER_FDS;
	return count;
}

void br_hosts_poll(struct br_hosts *hosts, struct pollfd *waits)
{
	size_t slot = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		struct br_host *host = &hosts->items[i];

		host->slot = SIZE_MAX;
		if (!is_live(host))
			continue;
		br_container_poll(&host->container, waits + slot);
		host->slot = slot;
		slot += BR_CONTAINER_FDS;
	}
}

/* The anchor is ready: what relies on it can be started. */
static void let_go(struct br_hosts *hosts)
{
	hosts->is_anchor_ready = true;
	for (size_t i = 0; i < hosts->count; i++) {
		struct br_host *host = &hosts->items[i];
		struct br_err err = { 0 };

		if (host->state == BR_HOST_OPENING && host->container.is_held &&
			!br_container_go_on(&host->container, &err))
			lose(host, &err);
	}
}

/* Let one container work, and tell what became of it. */
static void work(struct br_host *host, const struct pollfd *waits)
{
	struct br_hosts *hosts = host->owner;
	struct br_container *container = &host->container;
	struct br_err err = { 0 };
	bool is_well = br_container_work(container, waits, &err);

	/* Also of one that is lost by now. */
	if (container->is_image_ready && !host->is_image_told) {
		host->is_image_told = true;
		hosts->options.image_known(hosts->options.ctx, host);
	}
	hosts->is_network_made =
		hosts->is_network_made || container->is_network_made;
	if (container->is_save_over) {
		container->is_save_over = false;
		hosts->options.saved(hosts->options.ctx, host);
	}
	if (!is_well) {
		lose(host, &err);
		return;
	}
	if (host->state == BR_HOST_OPENING && container->is_up) {
		host->state = BR_HOST_UP;
		br_private_end(hosts->options.private_path);
		hosts->options.changed(hosts->options.ctx, host);
	} else if (host->state == BR_HOST_ENDING &&
		br_container_has_ended(container)) {
		close_host(host, BR_HOST_CLOSED);
	}
	if (host == hosts->anchor && host->state == BR_HOST_UP &&
		!hosts->is_anchor_ready &&
		br_session_is_set_up(host->container.session))
		let_go(hosts);
}

/* What one does may close another: then it is not live, or not yet polled. */
static void work_once(struct br_host *host, const struct pollfd *waits)
{
	size_t slot = host->slot;

	host->slot = SIZE_MAX;
	if (is_live(host) && slot != SIZE_MAX)
		work(host, waits + slot);
}

void br_hosts_work(struct br_hosts *hosts, const struct pollfd *waits)
{
	/* Who fails to join a network that is gone has not failed by itself. */
	if (hosts->anchor)
		work_once(hosts->anchor, waits);
	for (size_t i = 0; i < hosts->count; i++)
		work_once(&hosts->items[i], waits);
}

static void end_host(struct br_host *host, enum br_container_end how)
{
	if (host->state == BR_HOST_UP &&
		(!host->service || how == BR_CONTAINER_STAYS)) {
		host->state = BR_HOST_ENDING;
		br_container_end(&host->container, how);
	} else if (host->state == BR_HOST_OPENING ||
		host->state == BR_HOST_UP) {
		host->owner->is_unclean = true;
		host->state = BR_HOST_LEAVING;
	} else if (host->state == BR_HOST_WANTED) {
		host->state = BR_HOST_CLOSED;
	}
}

void br_host_release(struct br_host *host)
{
	if (host != host->owner->anchor && !host->is_kept)
		end_host(host,
			host->is_guest ? BR_CONTAINER_LEAVES
				       : BR_CONTAINER_GIVES_BACK);
}

static void keep(struct br_host *host)
{
	if (host->state != BR_HOST_UP || host->is_kept)
		return;
	host->is_kept = true;
	host->kept_id = br_strdup(host->container.id);
}

void br_host_keep(struct br_host *host)
{
	keep(host);
	if (host->is_kept && host->is_guest && host->owner->anchor)
		keep(host->owner->anchor);
}

void br_hosts_end(struct br_hosts *hosts, bool has_kept)
{
	for (size_t i = 0; i < hosts->count; i++)
		end_host(&hosts->items[i],
			has_kept && hosts->items[i].is_kept
				? BR_CONTAINER_STAYS
				: BR_CONTAINER_GIVES_BACK);
	if (hosts->is_network_made)
		hosts->is_unclean = true;
}

bool br_hosts_are_ending(const struct br_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->items[i].state == BR_HOST_ENDING)
			return true;
	return false;
}
