/* SPDX-License-Identifier: MIT */
/*
 * policy.h - what an agent lets the jobs of others do on its machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/plan.h"

/* Borrowed lists may be NULL where they are empty. */
struct policy {
	/* Builds may have the engine's socket: they are root on the machine then. */
	bool has_docker_socket;
	/* Globs; none: everything is allowed. */
	const char *const *repos;
	size_t repo_count;
	const char *const *images;
	size_t image_count;
	/* Beside https, http, ssh and git; NULL-terminated; NULL: none. */
	const char *const *protocols;
	/* The most that a build gets; 0: no limit. */
	int64_t memory_bytes;
	int64_t cpus_nano;
	int64_t pids;
	int64_t timeout_ms;
	/* No network in any container. */
	bool has_no_network;
};

/* Fails with BR_EINPUT where `repo` (without its password) is not allowed. */
bool policy_check_repo(const struct policy *policy, const char *repo,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Hold a plan to the policy: lowers its limits, takes the socket and the network
 * from it.
 *
 * Fails with BR_EINPUT for an image that is not allowed, and where the manifest
 * itself asks for what it may not have.
 */
bool policy_apply(const struct policy *policy,
	const struct br_manifest *manifest, struct br_plan *plan,
	struct br_err *err) BR_MUST_CHECK;
