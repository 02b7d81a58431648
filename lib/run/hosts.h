/* SPDX-License-Identifier: MIT */
/*
 * hosts.h - the containers of a build, from when they are wanted to their end.
 *
 * A host is one container: the build's, that of a stage with an image of its own,
 * or a service's. They come up one beside the other. The first that is opened for a
 * stage is the anchor: it has the plan's network, or the build's own where there are
 * services, and those of other stages share it, which is twice as fast as a network
 * for each. It stays until the end for that.
 *
 * It also gives back to the caller what the others, which start after it, made in the
 * project: one that ends earlier must not change the owner of files that others work
 * with. At the end each that is still there gives back what it can.
 *
 * An image that several hosts want is pulled once: the second waits until the first
 * has it.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "plan/plan.h"
#include "run/container.h"
#include "run/emit.h"
#include "run/run.h"

enum br_host_state {
	/* Not begun, or closed so that it can begin again. */
	BR_HOST_CLOSED,
	/* Begins as soon as the anchor and its image let it. */
	BR_HOST_WANTED,
	BR_HOST_OPENING,
	BR_HOST_UP,
	/* Gives files back. */
	BR_HOST_ENDING,
	/* Is closed by the next br_hosts_open(): its session may be at work. */
	BR_HOST_LEAVING,
	/* It never came up, or was lost: `err` says why. */
	BR_HOST_LOST,
};

struct br_hosts;

/* One container. Members are the owner's to read; the last ones are private. */
struct br_host {
	enum br_host_state state;
	struct br_container container;
	/* Of BR_HOST_LOST. */
	struct br_err err;
	/* Of BR_HOST_LOST: it was giving files back. */
	bool was_ending;
	/* It stays when the build has ended: its id. Owned. */
	bool is_kept;
	char *kept_id;

	const char *image;
	/* `prepare` runs in it, and what that leaves may be kept. */
	bool may_be_prepared;
	/* Of a service; else NULL. */
	const struct br_plan_service *service;
	struct br_session_handlers handlers;
	struct br_hosts *owner;
	/* It has been told that the engine has the image. */
	bool is_image_told;
	/* It began when the anchor was ready, and relies on it. */
	bool is_guest;
	/* Where br_hosts_poll() put it, or SIZE_MAX. */
	size_t slot;
	/* Of one that leaves: it is wanted once more. */
	bool is_wanted_again;
};

/* Told of what becomes of a host. */
typedef void br_host_fn(void *ctx, struct br_host *host);

struct br_looks;

/* Borrowed. */
struct br_hosts_options {
	const struct br_plan *plan;
	const struct br_run_options *run;
	/* Value of a label. */
	const char *owner;
	/* The folder in which each container's private one is made. */
	const char *private_path;
	struct br_emitter *emitter;
	void *ctx;
	/* It is up, or lost. */
	br_host_fn *changed;
	/* It is known of what image it is made. */
	br_host_fn *image_known;
	/* br_container_save() has come to its end. */
	br_host_fn *saved;
	/* At images for their own sake, which go before hosts. */
	const struct br_looks *looks;
};

/* Starts out by br_hosts_init(). */
struct br_hosts {
	struct br_hosts_options options;
	/* In a row, so that they stay where they are; count of those in use. */
	struct br_host *items;
	size_t count;
	/* NULL: none is up or on its way. */
	struct br_host *anchor;
	/* It is up, and gives back what the others make. */
	bool is_anchor_ready;
	/* Name of the build's own network; NULL: it needs none. */
	char *network;
	bool is_network_made;
	/* Of services, where they are in the network of the host itself. */
	char **extra_hosts;
	/* Something may be left behind: the janitor has work. */
	bool is_unclean;
	/* One number more than the last private folder's. */
	unsigned folder_count;
};

/*
 * Begin, with room for `count` hosts.
 *
 * Ownership: br_hosts_done().
 */
void br_hosts_init(struct br_hosts *hosts,
	const struct br_hosts_options *options, size_t count);

/* Close all connections, which ends the containers, and free. */
void br_hosts_done(struct br_hosts *hosts);

/*
 * Add a host for an image, or for a service (whose image it is). Ownership: the
 * list's; valid as long as it is.
 */
struct br_host *br_hosts_add(struct br_hosts *hosts, const char *image,
	const struct br_plan_service *service);

/* Have the host opened. Nothing for one that is wanted, opening or up. */
void br_host_want(struct br_host *host);

/*
 * The host is not needed any more: it ends. The anchor stays until
 * br_hosts_end(). A service is closed without a word: nothing of it is kept.
 */
void br_host_release(struct br_host *host);

/*
 * Let the host, if it is up, stay beyond the end of the build, and the anchor too if it
 * relies on that: br_host_release() does nothing then, and br_hosts_end() what it says.
 */
void br_host_keep(struct br_host *host);

/* Give how many slots br_hosts_poll() fills at most. */
size_t br_hosts_poll_count(const struct br_hosts *hosts);

/* Fill in what to poll. */
void br_hosts_poll(struct br_hosts *hosts, struct pollfd *waits);

/*
 * Close what is to be closed and open what can be opened, before br_hosts_poll().
 *
 * Gives true where something of it was lost at once, which `changed` has told.
 */
bool br_hosts_open(struct br_hosts *hosts);

/* Do what can be done after poll(). `changed` tells what becomes of containers. */
void br_hosts_work(struct br_hosts *hosts, const struct pollfd *waits);

/*
 * End all hosts: those that are up give files back first. Those that are kept stay,
 * unless `has_kept` is false.
 */
void br_hosts_end(struct br_hosts *hosts, bool has_kept);

/* Say whether any host is still at its end. */
bool br_hosts_are_ending(const struct br_hosts *hosts);
