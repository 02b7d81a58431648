/* SPDX-License-Identifier: MIT */
/*
 * rerun.h - `buildr run --watch`: runs again what a change of files concerns.
 *
 * This process watches and builds nothing; each build is a child that does what
 * `buildr run` does (rerun_build.h). `buildr watch` is something else: the farm's.
 */
#pragma once

#include "cmd/options/options.h"

/*
 * Run, and again whenever files change, until it is told to end. Gives the exit
 * status: 128 and the signal's number, or that of the last build where the user has
 * asked for the end.
 */
int rerun(const struct options *options);
