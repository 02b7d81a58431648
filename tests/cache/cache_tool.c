/* SPDX-License-Identifier: MIT */
/*
 * cache_tool.c - the stage cache, as a build would use it, for tests in Python.
 *
 *	put FOLDER PROJECT STAGE IDENTITY   store what is in `out/` of PROJECT
 *	restore FOLDER PROJECT IDENTITY     put it back; exit 1 where it is not stored
 *	push FOLDER URL IDENTITY...         send results to a remote cache
 *	fetch FOLDER URL IDENTITY...        get them: a line `IDENTITY there|missing` each
 *
 * A warning is a line `left out: TEXT`. CACHE_TOKEN, CACHE_CA and CACHE_READ_ONLY are options
 * of the last two.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/globs.h"
#include "cache/listing.h"
#include "cache/remote.h"
#include "cache/store.h"
#include "cache/users.h"

enum { EXIT_MISSING = 1, EXIT_USAGE = 2, EXIT_BROKEN = 3 };

static int fail(const struct br_err *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	return err->code == BR_ENOTFOUND ? EXIT_MISSING : EXIT_BROKEN;
}

static bool read_identity(
	const char *text, uint8_t identity[BR_HASH_BYTES], struct br_err *err)
{
	return br_hash_parse(text, strlen(text), identity) ||
		br_fail(err, BR_EINPUT, "'%s' is no identity", text);
}

static int put(char **argv)
{
	static const char *const globs[] = { "out/" };
	br_auto(br_store) struct br_store *store = NULL;
	br_auto(br_globs) struct br_globs *chosen = NULL;
	br_autolisting struct br_listing outputs = { 0 };
	br_autoclose int root_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	uint8_t identity[BR_HASH_BYTES];
	struct br_err err = { 0 };

	if (!read_identity(argv[3], identity, &err) ||
		!br_store_open(argv[0], &store, &err) ||
		!br_globs_new(globs, 1, &chosen, &err) ||
		!br_listing_find(root_fd, chosen, true, &outputs, &err) ||
		!br_store_put(store, identity, root_fd, &outputs,
			br_str("a line of the log\n"), &err))
		return fail(&err);
	br_users_note(store, identity, argv[2], argv[1]);
	return EXIT_SUCCESS;
}

static int restore(char **argv)
{
	br_auto(br_store) struct br_store *store = NULL;
	br_autostored struct br_stored result = { 0 };
	br_autoclose int root_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	br_autobuf struct br_buf log = { 0 };
	uint8_t identity[BR_HASH_BYTES];
	struct br_err err = { 0 };

	if (!read_identity(argv[2], identity, &err) ||
		!br_store_open(argv[0], &store, &err) ||
		!br_store_find(store, identity, &result, &err) ||
		!br_store_log(store, &result, &log, &err) ||
		!br_store_restore(store, &result, root_fd, &err))
		return fail(&err);
	(void)fputs(br_buf_text(&log), stdout);
	return EXIT_SUCCESS;
}

static void on_fetched(
	void *ctx, const uint8_t identity[BR_HASH_BYTES], bool is_there)
{
	char text[BR_HASH_TEXT_BYTES];

	(void)ctx;
	br_hash_format(identity, text);
	(void)printf("%s %s\n", text, is_there ? "there" : "missing");
}

static void on_left_out(void *ctx, const char *text)
{
	(void)ctx;
	(void)printf("left out: %s\n", text);
}

static void work_to_the_end(struct br_remote *remote)
{
	const struct br_remote_handlers handlers = {
		.fetched = on_fetched,
		.left_out = on_left_out,
	};

	while (br_remote_is_busy(remote)) {
		struct pollfd ready = { br_remote_fd(remote), POLLIN, 0 };

		if (poll(&ready, 1, -1) > 0)
			br_remote_work(remote, &handlers);
	}
}

static int speak(char **argv, bool is_push)
{
	const struct br_remote_options options = {
		.url = argv[1],
		.token = getenv("CACHE_TOKEN"),
		.ca_file = getenv("CACHE_CA"),
		.is_read_only = getenv("CACHE_READ_ONLY") != NULL,
		.store_folder = argv[0],
	};
	br_auto(br_remote) struct br_remote *remote = NULL;
	struct br_err err = { 0 };

	if (!br_remote_open(&options, &remote, &err))
		return fail(&err);
	for (char **text = argv + 2; *text; text++) {
		uint8_t identity[BR_HASH_BYTES];

		if (!read_identity(*text, identity, &err))
			return fail(&err);
		if (is_push)
			br_remote_push(remote, identity);
		else if (!br_remote_fetch(remote, identity))
			on_fetched(NULL, identity, false);
	}
	work_to_the_end(remote);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "put"))
		return put(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "restore"))
		return restore(argv + 2);
	if (argc >= 5 && !strcmp(argv[1], "push"))
		return speak(argv + 2, true);
	if (argc >= 5 && !strcmp(argv[1], "fetch"))
		return speak(argv + 2, false);
	(void)fprintf(stderr, "wrong arguments: see the source\n");
	return EXIT_USAGE;
}
