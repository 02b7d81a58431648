/* SPDX-License-Identifier: MIT */
#include "agent/tidy.h"

#include <stdio.h>

#include "agent/diary.h"
#include "base/clock.h"
#include "checkout/checkout.h"

enum {
	/* An agent that has only just begun has better things to do. */
	FIRST_MS = 60 * 1000,
	EVERY_MS = 10 * 60 * 1000,
	/* Of many, and large ones: the rest comes the next time. */
	TIDY_MS = 5 * 60 * 1000,
};

static bool prune(const struct agent_options *options, struct br_err *err)
{
	const struct br_checkout_limits limits = {
		.max_age_ms = options->mirror_max_age_ms,
		.max_bytes = options->mirror_max_bytes,
		.min_free_bytes = options->min_free_bytes,
	};
	size_t count = br_checkout_prune(options->work_dir, &limits);
	char text[24];

	(void)err;
	(void)snprintf(text, sizeof(text), "%zu", count);
	if (count > 0)
		diary(options->log, "mirrors removed", "count", text, NULL);
	return true;
}

void tidy_init(struct tidy *tidy)
{
	*tidy = (struct tidy){
		.probe = { .fd = -1, .deadline_ms = -1 },
		.due_ms = br_clock_now_ms() + FIRST_MS,
	};
}

void tidy_done(struct tidy *tidy)
{
	probe_stop(&tidy->probe);
}

void tidy_hurry(struct tidy *tidy)
{
	tidy->due_ms = br_clock_now_ms();
}

int tidy_fd(const struct tidy *tidy)
{
	return tidy->probe.fd;
}

int64_t tidy_deadline_ms(const struct tidy *tidy)
{
	return tidy->probe.fd >= 0 ? tidy->probe.deadline_ms : tidy->due_ms;
}

void tidy_work(struct tidy *tidy, const struct agent_options *options)
{
	struct br_err ignored = { 0 };

	if (tidy->probe.fd >= 0) {
		(void)probe_end(&tidy->probe, &ignored);
		return;
	}
	if (tidy->due_ms > br_clock_now_ms())
		return;
	tidy->due_ms = br_clock_now_ms() + EVERY_MS;
	/* Where it cannot be begun now it can later. */
	(void)!probe_start(options, prune, TIDY_MS, &tidy->probe, &ignored);
}
