/* SPDX-License-Identifier: MIT */
#include "run/janitor.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/survivor.h"
#include "session/private.h"

/* What buildr writes when nothing is left to do. */
static const char clean_word = 'c';
/* What runs is to stay. */
static const char keep_word = 'k';

enum {
	/*
	 * A build that lasts longer than this has orphans swept beside it; a
	 * shorter one after it, so that the sweep does not slow its start.
	 */
	SWEEP_DELAY_MS = 1000,
	/*
	 * Counted from the end of a build that was cut short: a request that was on
	 * its way may still make a container until then.
	 */
	QUIET_MS = 2000,
	/* A running container ends by itself, and gives files back before that. */
	FORCE_MS = 3000,
	/* An engine that takes so long to answer may take long to do, too. */
	SLOW_MS = 500,
	/* What does not answer is asked again after that. */
	ROUND_LIMIT_MS = 1200,
	/* All is over by then, within the contract's five seconds. */
	LAST_MS = 4200,
	/* But for an engine that does answer, late: its time for a round after that. */
	LATE_LIMIT_MS = 10 * 1000,
};

/*
 * When to look for leftovers, counted from the end of buildr. After a clean end
 * the engine removes the container by itself, and the first round is left out.
 */
static const int64_t round_ms[] = { 0, 250, 700, 1400, QUIET_MS, FORCE_MS, 3800,
	/* Only where the time was too short for the engine. */
	6000, 9000, 15000, 25000, 40000, 60000 };
enum { ROUNDS = sizeof(round_ms) / sizeof(round_ms[0]) };

/* The child's own state. */
struct janitor {
	const struct br_janitor_options *options;
	/* When buildr ended. */
	int64_t ended_ms;
	/* Readable when a request has taken too long; -1: there is none. */
	int timer_fd;
	/* Nothing that runs is touched. */
	bool is_kept;
};

static void sleep_until(int64_t when_ms)
{
	int64_t left_ms = when_ms - br_clock_now_ms();

	if (left_ms > 0)
		(void)poll(NULL, 0, (int)left_ms);
}

static int64_t elapsed_ms(const struct janitor *janitor)
{
	return br_clock_now_ms() - janitor->ended_ms;
}

/* Requests are given up so long after the end of buildr. */
static void limit_requests(const struct janitor *janitor, int64_t until_ms)
{
	int64_t left_ms = janitor->ended_ms + until_ms - br_clock_now_ms();

	/* Zero would switch the timer off. */
	if (left_ms < 1)
		left_ms = 1;

	const struct itimerspec when = {
		.it_value = { .tv_sec = left_ms / 1000,
			.tv_nsec = left_ms % 1000 * 1000000 },
	};
	(void)timerfd_settime(janitor->timer_fd, 0, &when, NULL);
	janitor->options->engine->cancel_fd = janitor->timer_fd;
}

/* What a look has shown. */
enum sight {
	NOTHING_IS_LEFT,
	/* There may be more to come, or nobody is there to be asked. */
	UNSURE,
	/* The engine is there, and has not had the time to say or do it. */
	UNSETTLED,
};

static enum sight sweep(
	const struct janitor *janitor, const char *build, bool is_forced)
{
	const struct br_sweep what = {
		.build = build,
		.self = janitor->options->self,
		.is_forced = is_forced,
	};
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	/* Nobody is left to be told; the next buildr sweeps again. */
	if (!br_engine_sweep(janitor->options->engine, &what, &swept, &err))
		return err.code == BR_ECANCELED ? UNSETTLED : UNSURE;
	if (swept.left_count > 0)
		return UNSETTLED;
	return swept.removed_count + swept.missing_count > 0 ? UNSURE
							     : NOTHING_IS_LEFT;
}

/* When the requests of a round that starts now are given up. */
static int64_t round_end_ms(int64_t start_ms)
{
	if (start_ms >= LAST_MS)
		return start_ms + LATE_LIMIT_MS;
	return start_ms + ROUND_LIMIT_MS < LAST_MS ? start_ms + ROUND_LIMIT_MS
						   : LAST_MS;
}

/* Look for what is left of the build. */
static enum sight look(const struct janitor *janitor)
{
	int64_t start_ms = elapsed_ms(janitor);

	limit_requests(janitor, round_end_ms(start_ms));

	bool has_folder = !br_private_remove(janitor->options->private_dir);
	enum sight seen = sweep(janitor, janitor->options->build,
		start_ms >= FORCE_MS && !janitor->is_kept);

	if (seen == NOTHING_IS_LEFT &&
		(has_folder || elapsed_ms(janitor) - start_ms >= SLOW_MS))
		return UNSURE;
	return seen;
}

static void remove_leftovers(const struct janitor *janitor, bool is_clean)
{
	enum sight seen = UNSURE;

	for (int i = is_clean ? 1 : 0; i < ROUNDS; i++) {
		bool is_late =
			round_ms[i] > LAST_MS || elapsed_ms(janitor) >= LAST_MS;

		/* What is kept is left for ever. */
		if (is_late && (seen != UNSETTLED || janitor->is_kept))
			return;
		sleep_until(janitor->ended_ms + round_ms[i]);
		seen = look(janitor);
		if (seen == NOTHING_IS_LEFT &&
			(is_clean || elapsed_ms(janitor) >= QUIET_MS))
			return;
	}
}

/* Wait for a word of buildr or its end. Gives false when time ran out. */
static bool await_buildr(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int ready = 0;

	do
		ready = poll(&wait, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready != 0;
}

/* Remove what builds before this one have left. */
static void sweep_orphans(const struct janitor *janitor)
{
	(void)br_private_sweep(janitor->options->self);
	(void)sweep(janitor, NULL, false);
}

static void janitor_main(const void *ctx)
{
	const struct br_janitor_options *options = ctx;
	const int fd = BR_SURVIVOR_FD;
	struct janitor janitor = { .options = options };
	bool has_swept = false;
	char word = '\0';

	if (!await_buildr(fd, SWEEP_DELAY_MS)) {
		/* Until buildr ends: what it leaves comes first. */
		options->engine->cancel_fd = fd;
		sweep_orphans(&janitor);
		has_swept = !await_buildr(fd, 0);
		(void)await_buildr(fd, -1);
	}
	janitor.ended_ms = br_clock_now_ms();
	janitor.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	(void)!read(fd, &word, 1);
	bool is_clean = word == clean_word;
	janitor.is_kept = word == keep_word;
	(void)br_private_remove(options->private_dir);
	remove_leftovers(&janitor, is_clean);
	if (!has_swept && elapsed_ms(&janitor) < LAST_MS) {
		limit_requests(&janitor, LAST_MS);
		sweep_orphans(&janitor);
	}
}

bool br_janitor_start(const struct br_janitor_options *options,
	struct br_janitor *janitor, struct br_err *err)
{
	const struct br_survivor_options how = {
		.main = janitor_main,
		.ctx = options,
	};
	struct br_survivor survivor = { .fd = -1 };

	if (!br_survivor_start(&how, &survivor, err))
		return br_wrap(err, "start the janitor");
	janitor->fd = survivor.fd;
	return true;
}

/* Say the word, if there is one, and close. */
static void let_go(struct br_janitor *janitor, const char *word)
{
	if (janitor->fd < 0)
		return;
	if (word)
		(void)!send(janitor->fd, word, 1, MSG_NOSIGNAL);
	(void)close(br_take_fd(&janitor->fd));
}

void br_janitor_release(struct br_janitor *janitor, bool is_clean)
{
	let_go(janitor, is_clean ? &clean_word : NULL);
}

void br_janitor_leave(struct br_janitor *janitor)
{
	let_go(janitor, &keep_word);
}
