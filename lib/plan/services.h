/* SPDX-License-Identifier: MIT */
/*
 * services.h - the services of a plan, each once.
 *
 * Services of one build share a network, so that an alias means one of them. Stages
 * that name the same service in the same words share it: it is started before the
 * first of them and stopped after the last.
 */
#pragma once

#include "base/arena.h"
#include "plan/environ.h"
#include "plan/plan.h"
#include "plan/select.h"

/*
 * Gather the services of all stages that run, and tell each stage which are its. An
 * alias that two different services have is a mistake, which goes to `diags`, like
 * an image that is none.
 *
 * `choices` are those of the plan's stages, in the same order. Ownership: in the
 * plan's arena.
 */
void br_services_build(struct br_plan *plan, const struct br_choices *choices,
	struct br_environ *environment, struct br_diags *diags);
