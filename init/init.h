/* SPDX-License-Identifier: MIT */
/*
 * init.h - PID 1 of a build's container: one loop over the wire, the stages and
 * the signals, in which nothing blocks.
 */
#pragma once

#include <stdbool.h>

/*
 * Serve buildr over the two descriptors, which may be the same, until it has said
 * END or the connection is over; then everything in the container is killed and
 * files are given back. Gives false where there was no END.
 */
bool init_serve(int in, int out);
