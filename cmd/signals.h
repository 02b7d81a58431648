/* SPDX-License-Identifier: MIT */
/* signals.h - requests to stop, as bytes that a run reads. */
#pragma once

#include <stdbool.h>

/*
 * Turn SIGINT, SIGTERM and SIGHUP into bytes on a pipe, for struct br_run_options. Once
 * in a process, which a second signal ends soon, whatever the run is held up by.
 *
 * A build of --watch (`is_watched`) is stopped by who watches, with signals that nobody
 * else sends: what a terminal or a service manager sends reaches both, and would count
 * twice.
 *
 * Gives the end to read, which stays open, or -1.
 */
int signals_catch(bool is_watched);
