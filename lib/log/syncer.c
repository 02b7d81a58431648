/* SPDX-License-Identifier: MIT */
#include "log/syncer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/survivor.h"

enum {
	/* What is lost at most when the power goes, with what the disk takes. */
	PERIOD_MS = 500,
	/* What the child is given, where it has it. */
	EVENTS_FD = BR_SURVIVOR_GIVEN_FD,
	OUTPUT_FD,
	FOLDER_FD,
};

/* What cannot be synced is not ours to mend. */
static void sync_grown(int fd, off_t *synced)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || status.st_size == *synced)
		return;
	*synced = status.st_size;
	(void)fdatasync(fd);
}

static void syncer_main(const void *ctx)
{
	const struct br_syncer_options *options = ctx;
	struct pollfd end = { .fd = BR_SURVIVOR_FD, .events = POLLIN };
	off_t events = 0;
	off_t output = 0;
	int ready = 0;

	/* Their names first: a file that no folder has is lost. */
	(void)fsync(FOLDER_FD);
	while (ready <= 0) {
		ready = poll(&end, 1, PERIOD_MS);
		sync_grown(OUTPUT_FD, &output);
		sync_grown(EVENTS_FD, &events);
	}
	br_log_folder_prune(options->folder, &options->limits, options->build);
}

bool br_syncer_start(
	const struct br_syncer_options *options, int *fd, struct br_err *err)
{
	br_autoclose int folder_fd =
		open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int given[] = { options->events_fd, options->output_fd,
		folder_fd };
	const struct br_survivor_options how = {
		.main = syncer_main,
		.ctx = options,
		.given = given,
		.given_count = sizeof(given) / sizeof(given[0]),
	};
	struct br_survivor survivor = { .fd = -1 };

	if (folder_fd < 0)
		return br_fail_errno(err, "open folder '%s'", options->folder);
	if (!br_survivor_start(&how, &survivor, err))
		return false;
	*fd = survivor.fd;
	return true;
}
