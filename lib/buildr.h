/* SPDX-License-Identifier: MIT */
/*
 * buildr.h - run a project's manifest from another program.
 *
 * This is the whole public interface of libbuildr: `pkg-config --cflags --libs
 * buildr`. A build is one call that blocks until it has ended; everything that
 * happens in it comes as events, each one JSON object on one line, as buildr.1
 * and event.schema.json describe them. What is true of `buildr run` is true of it:
 * nothing is left behind, however it ends. The calling process may have no other
 * threads, since the library forks, and must ignore SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is the default of everything. Strings are borrowed for the call. */
struct br_build_options {
	/* Where to look for the manifest, upwards; NULL: the working directory. */
	const char *path;
	/* The manifest itself; NULL: it is looked for. */
	const char *file;
	/* The engine; NULL: found as `buildr` finds it. */
	const char *docker_sock;
	/* Instead of the manifest's image. */
	const char *image;
	/* NAME=VALUE, over the manifest's. */
	const char *const *env;
	size_t env_count;
	/* The stages to run, with what they need; none: all. */
	const char *const *stages;
	size_t stage_count;
	/* Neither read nor write the stage cache. */
	bool has_no_cache;
	/* For the whole build; 0: none. */
	int64_t timeout_ms;
	/*
	 * With has_cancel_fd: each byte that can be read from cancel_fd asks to
	 * stop, SIGINT or SIGTERM by its number. The first is polite, the
	 * second at once.
	 */
	bool has_cancel_fd;
	int cancel_fd;
};

/*
 * Takes one event: `len` bytes of JSON that end in a newline, borrowed for the
 * call. Returning false stops the build as SIGTERM does, with exit code 3.
 */
typedef bool br_build_event_fn(void *ctx, const char *json, size_t len);

/*
 * Run a build to its end.
 *
 * Gives the exit code of `buildr run`: 0 passed, 1 a stage failed, 2 wrong options
 * or manifest (nothing has run), 3 the environment failed, 130 and 143 stopped.
 * With 2, and with 3 where no build was begun, `message` gets what is wrong, in
 * up to `message_size` bytes with its NUL (several lines for a manifest);
 * otherwise it is empty.
 */
int br_build_run(const struct br_build_options *options, br_build_event_fn *fn,
	void *ctx, char *message, size_t message_size);

/* Give the version of the library, static. */
const char *br_build_version(void);

#ifdef __cplusplus
}
#endif
