/* SPDX-License-Identifier: MIT */
/*
 * pull_image IMAGE missing|always|never - has an image there, and tells on stdout:
 *
 *	progress DONE TOTAL     as often as it is told
 *	image ID DIGEST         at the end, with exit 0
 *	error CODE TEXT         instead, with exit 1
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/docker.h"

static void tell(void *ctx, int64_t done, int64_t total)
{
	(void)ctx;
	(void)printf("progress %" PRId64 " %" PRId64 "\n", done, total);
}

static const char *const code_names[] = {
	[BR_EINPUT] = "EINPUT",
	[BR_ENOTFOUND] = "ENOTFOUND",
	[BR_EUNAVAIL] = "EUNAVAIL",
	[BR_EPROTO] = "EPROTO",
	[BR_ECANCELED] = "ECANCELED",
	[BR_ETIMEDOUT] = "ETIMEDOUT",
	[BR_ESYSTEM] = "ESYSTEM",
};

static enum br_pull parse_policy(const char *text)
{
	if (!strcmp(text, "always"))
		return BR_PULL_ALWAYS;
	return !strcmp(text, "never") ? BR_PULL_NEVER : BR_PULL_MISSING;
}

int main(int argc, char **argv)
{
	struct br_docker_options options = { 0 };
	br_auto(br_engine) struct br_engine *engine = NULL;
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	if (argc != 3) {
		(void)fprintf(stderr,
			"usage: pull_image IMAGE missing|always|never\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (!br_docker_open(&options, &engine, &err) ||
		!br_engine_image(engine, argv[1], parse_policy(argv[2]), tell,
			NULL, &image, &err)) {
		(void)printf("error %s %s\n", code_names[err.code], err.text);
		return EXIT_FAILURE;
	}
	(void)printf("image %s %s\n", image.id, image.digest);
	br_image_done(&image);
	return EXIT_SUCCESS;
}
