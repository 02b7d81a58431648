/* SPDX-License-Identifier: MIT */
/* farm_commands.h - one function a command of buildr-farm; each gives the exit status. */
#pragma once

#include "agent/farm.h"
#include "agent/job.h"
#include "cmd/options/options.h"

int cmd_submit(const struct options *options);
int cmd_cancel(const struct options *options);
int cmd_watch(const struct options *options);

/* Whether submit shows the builds, as asked for or by where it is called. */
bool submit_waits(const struct options *options);

/* `submit --everywhere`: `text` is the job. */
int submit_everywhere(
	const struct options *options, struct farm *farm, struct br_str text);

/* What `buildr doctor` asks: print what the broker is, or what is wrong with it. */
int cmd_doctor(const struct options *options);
