/* SPDX-License-Identifier: MIT */
/*
 * make_checkout - makes one work tree, says what it is, and holds it.
 *
 *	make_checkout WORK_DIR KEY=VALUE…
 *
 * Keys: repo, branch, commit, build, timeout (ms), size (bytes), allow (repeatable), only (a
 * glob for addresses that the repository names), and submodules, lfs and cancel, which take
 * any value. Prints `made FOLDER`, `branch NAME`
 * (or `branch` alone), `commit ID` and `held`, then waits for the end of stdin and removes
 * the tree; or `failed CODE TEXT` and exit status 1. With `cancel` a byte on stdin
 * stops it. With `prune=AGE,BYTES,FREE` it only removes mirrors that are older (ms), until
 * all have less and so much is free, and prints how many went. With `sweep=…` it only sweeps, and prints how many went; with `show=ADDRESS`
 * it only shows that; with `times=N` it makes and removes N trees and prints the
 * microseconds of each.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/uuid.h"
#include "checkout/checkout.h"

enum { ALLOWED_MAX = 8 };

struct request {
	struct br_checkout_options options;
	const char *allowed[ALLOWED_MAX + 1];
	size_t allowed_count;
	const char *show;
	char *prune;
	bool is_sweep;
	int64_t times;
};

static const char *const codes[] = {
	[BR_OK] = "OK",
	[BR_EINPUT] = "EINPUT",
	[BR_ENOTFOUND] = "ENOTFOUND",
	[BR_EUNAVAIL] = "EUNAVAIL",
	[BR_EPROTO] = "EPROTO",
	[BR_ECANCELED] = "ECANCELED",
	[BR_ETIMEDOUT] = "ETIMEDOUT",
	[BR_ESYSTEM] = "ESYSTEM",
};

static int64_t number(const char *text)
{
	struct br_err err = { 0 };
	int64_t value = 0;

	if (!br_parse_int(text, 0, INT64_MAX, &value, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(EXIT_FAILURE);
	}
	return value;
}

/* Take only what is as `ctx` says. */
static bool check_repo(void *ctx, const char *repo, struct br_err *err)
{
	return fnmatch(ctx, repo, 0) == 0 ||
		br_fail(err, BR_EINPUT, "'%s' is not wanted", repo);
}

static void read_argument(struct request *request, char *argument)
{
	struct br_checkout_options *options = &request->options;
	char *value = strchr(argument, '=');

	if (!value)
		return;
	value++;
	if (br_has_prefix(argument, "repo="))
		options->repo = value;
	else if (br_has_prefix(argument, "branch="))
		options->branch = value;
	else if (br_has_prefix(argument, "commit="))
		options->commit = value;
	else if (br_has_prefix(argument, "build="))
		options->build = value;
	else if (br_has_prefix(argument, "timeout="))
		options->timeout_ms = number(value);
	else if (br_has_prefix(argument, "size="))
		options->max_file_bytes = number(value);
	else if (br_has_prefix(argument, "allow=") &&
		request->allowed_count < ALLOWED_MAX)
		request->allowed[request->allowed_count++] = value;
	else if (br_has_prefix(argument, "only=")) {
		options->check_repo = check_repo;
		options->check_ctx = value;
	} else if (br_has_prefix(argument, "submodules="))
		options->has_submodules = true;
	else if (br_has_prefix(argument, "lfs="))
		options->has_lfs = true;
	else if (br_has_prefix(argument, "cancel="))
		options->cancel_fd = STDIN_FILENO;
	else if (br_has_prefix(argument, "show="))
		request->show = value;
	else if (br_has_prefix(argument, "prune="))
		request->prune = value;
	else if (br_has_prefix(argument, "sweep="))
		request->is_sweep = true;
	else if (br_has_prefix(argument, "times="))
		request->times = number(value);
}

static int complain(const struct br_err *err)
{
	(void)printf("failed %s %s\n", codes[err->code], err->text);
	return EXIT_FAILURE;
}

static int hold(const struct br_checkout_options *options)
{
	struct br_checkout made = { 0 };
	struct br_err err = { 0 };
	char byte;

	if (!br_checkout_make(options, &made, &err))
		return complain(&err);
	(void)printf("made %s\nbranch %s\ncommit %s\nheld\n", made.folder,
		made.branch ? made.branch : "", made.commit);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	br_checkout_remove(&made);
	return EXIT_SUCCESS;
}

static int measure(const struct br_checkout_options *options, int64_t times)
{
	for (int64_t i = 0; i < times; i++) {
		struct br_checkout made = { 0 };
		struct br_err err = { 0 };
		int64_t start_us = br_clock_now_us();

		if (!br_checkout_make(options, &made, &err))
			return complain(&err);
		int64_t made_us = br_clock_now_us();
		br_checkout_remove(&made);
		(void)printf("%lld %lld\n", (long long)(made_us - start_us),
			(long long)(br_clock_now_us() - made_us));
	}
	return EXIT_SUCCESS;
}

static int prune(const char *work_dir, char *limits)
{
	const struct br_checkout_limits kept = {
		.max_age_ms = number(strsep(&limits, ",")),
		.max_bytes = number(strsep(&limits, ",")),
		.min_free_bytes = number(limits),
	};

	(void)printf("%zu\n", br_checkout_prune(work_dir, &kept));
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct request request = { .options = { .cancel_fd = -1 } };
	char build[BR_UUID_TEXT_BYTES];
	struct br_err err = { 0 };

	if (argc < 2 || !br_uuid_make(build, &err))
		return EXIT_FAILURE;
	request.options.work_dir = argv[1];
	request.options.build = build;
	for (int i = 2; i < argc; i++)
		read_argument(&request, argv[i]);
	request.options.allowed_protocols = request.allowed;
	if (request.show) {
		br_autofree char *shown = br_checkout_show(request.show);

		(void)puts(shown);
		return EXIT_SUCCESS;
	}
	if (request.prune)
		return prune(argv[1], request.prune);
	if (request.is_sweep) {
		(void)printf("%zu\n", br_checkout_sweep(argv[1]));
		return EXIT_SUCCESS;
	}
	if (!request.options.repo)
		return EXIT_FAILURE;
	return request.times > 0 ? measure(&request.options, request.times)
				 : hold(&request.options);
}
