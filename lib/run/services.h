/* SPDX-License-Identifier: MIT */
/*
 * services.h - the services of a build: started, ready, used, and gone.
 *
 * A service runs under buildr-init in a container of its own: its main process is
 * one stage of that session, and what looks whether it is ready another, so that all
 * of it ends with the connection, as everything does. What it writes is kept, as
 * much as people read, for the case that something goes wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "plan/plan.h"
#include "run/emit.h"
#include "run/hosts.h"
#include "run/output.h"

enum br_service_state {
	BR_SERVICE_IDLE,
	/* From when its container is wanted until it is ready. */
	BR_SERVICE_STARTING,
	BR_SERVICE_READY,
	/* It ended, or did not get ready; told as a notice. */
	BR_SERVICE_FAILED,
};

struct br_services_run;

/* One service. Private, but for `state` and `is_unavailable`. */
struct br_service_run {
	enum br_service_state state;
	/* Of FAILED: no container of it could be had, the engine's fault. */
	bool is_unavailable;
	const struct br_plan_service *service;
	struct br_host *host;
	/* Where its stages reach it as they reach themselves. */
	bool is_in_host_network;
	struct br_services_run *owner;
	/* Stages that may still use it. */
	size_t user_count;
	/* When it must be ready, in monotonic ms; -1: no matter. */
	int64_t deadline_ms;
	/* When to look again whether it is; -1: it is being looked at, or not. */
	int64_t look_ms;
	bool is_looking;
	struct br_output output;
	/* The end of what it wrote, masked. */
	struct br_buf tail;
	/* How much of `tail` was shown. */
	bool is_shown;
};

/* Told when a service is ready or has failed. */
typedef void br_service_fn(void *ctx, struct br_service_run *service);

struct br_services_options {
	const struct br_plan *plan;
	struct br_hosts *hosts;
	struct br_emitter *emitter;
	void *ctx;
	br_service_fn *changed;
};

/* Starts out by br_services_init(). */
struct br_services_run {
	struct br_services_options options;
	/* As the plan's. */
	struct br_service_run *items;
	size_t count;
};

/* Begin: adds a host for each service. Ownership: br_services_done(). */
void br_services_init(struct br_services_run *services,
	const struct br_services_options *options);

/* Free what is held. The hosts are their list's to close. */
void br_services_done(struct br_services_run *services);

/* Have a service started; one that has failed is tried again. */
void br_service_want(struct br_service_run *service);

/* A host is up or lost; nothing where it is none of a service. */
void br_services_host_changed(
	struct br_services_run *services, struct br_host *host);

/* A stage has come to its end: a service without users is stopped. */
void br_service_leave(struct br_service_run *service);

/* Show what a service wrote last, since a stage that used it has failed. */
void br_service_show(struct br_service_run *service, enum br_level level);

/* Give the time of the next br_services_tick(), in monotonic ms; -1: none. */
int64_t br_services_deadline_ms(const struct br_services_run *services);

/* Do what is due: look whether services are ready, and lose patience. */
void br_services_tick(struct br_services_run *services);
