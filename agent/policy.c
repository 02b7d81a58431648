/* SPDX-License-Identifier: MIT */
#include "agent/policy.h"

#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "checkout/checkout.h"

static bool is_allowed(const char *const *globs, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(globs[i], text, 0) == 0)
			return true;
	return count == 0;
}

bool policy_check_repo(
	const struct policy *policy, const char *repo, struct br_err *err)
{
	br_autofree char *shown = br_checkout_show(repo);

	return is_allowed(policy->repos, policy->repo_count, shown) ||
		br_fail(err, BR_EINPUT,
			"this agent does not build '%s' (--allow-repo)", shown);
}

static bool check_image(
	const struct policy *policy, const char *image, struct br_err *err)
{
	return is_allowed(policy->images, policy->image_count, image) ||
		br_fail(err, BR_EINPUT,
			"this agent does not run the image '%s' "
			"(--allow-image)",
			image);
}

static bool check_images(const struct policy *policy,
	const struct br_plan *plan, struct br_err *err)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		if (plan->stages[i].skip == BR_SKIP_NOT &&
			!check_image(policy, plan->stages[i].image, err))
			return false;
	for (size_t i = 0; i < plan->service_count; i++)
		if (!check_image(policy, plan->services[i].image, err))
			return false;
	return true;
}

/* The lower of two limits, of which 0 is none. */
static int64_t lower(int64_t a, int64_t b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

static bool take_network(const struct br_plan *plan, struct br_err *err)
{
	if (plan->service_count > 0)
		return br_fail(err, BR_EINPUT,
			"the build has services, and this agent gives no "
			"network (--no-network)");
	return true;
}

bool policy_apply(const struct policy *policy,
	const struct br_manifest *manifest, struct br_plan *plan,
	struct br_err *err)
{
	bool wants_socket = manifest->is_docker_given && manifest->has_docker;

	if (!policy->has_docker_socket && wants_socket)
		return br_fail(err, BR_EINPUT,
			"the manifest asks for the engine's socket "
			"('docker: true'), and this agent does not give it "
			"(--docker-socket)");
	/* What listens on the machine for itself is not for its guests. */
	if (!policy->has_docker_socket && plan->network &&
		strcmp(plan->network, "host") == 0)
		return br_fail(err, BR_EINPUT,
			"the manifest asks for the network of the machine "
			"('network: host'), and this agent does not give it "
			"(--docker-socket)");
	if (!check_images(policy, plan, err) ||
		(policy->has_no_network && !take_network(plan, err)))
		return false;
	plan->has_docker = plan->has_docker && policy->has_docker_socket;
	plan->memory_bytes = lower(plan->memory_bytes, policy->memory_bytes);
	plan->cpus_nano = lower(plan->cpus_nano, policy->cpus_nano);
	plan->pids = lower(plan->pids, policy->pids);
	if (policy->has_no_network)
		plan->network = "none";
	return true;
}
