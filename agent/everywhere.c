/* SPDX-License-Identifier: MIT */
/* everywhere.c - `buildr submit --everywhere`: a job for every agent that is there. */
#include <stdio.h>
#include <string.h>

#include "agent/builds.h"
#include "agent/control.h"
#include "agent/farm_commands.h"
#include "agent/names.h"
#include "agent/wait.h"
#include "base/clean.h"
#include "base/clock.h"

enum {
	/* Nobody knows how many agents there are: all have answered when for so
	 * long none has. */
	QUIET_MS = 3000,
	/* And at most. */
	COLLECT_MS = 15 * 1000,
};

/* The agents' names live in `arena`. */
static void take_answers(
	struct farm *farm, struct br_arena *arena, struct builds *builds)
{
	const struct farm_message *first = NULL;

	while ((first = farm_first(farm, FARM_REPLIES)) != NULL) {
		const struct br_str body = { first->body, first->body_len };
		struct control_answer answer = { 0 };
		struct br_err ignored = { 0 };

		if (control_parse_answer(body, arena, &answer, &ignored))
			builds_add(builds, answer.build, answer.agent,
				answer.queue);
		farm_drop(farm, FARM_REPLIES);
	}
}

static bool collect(struct farm *farm, struct br_arena *arena,
	struct builds *builds, struct br_err *err)
{
	int64_t now_ms = br_clock_now_ms();
	int64_t last_ms = now_ms + COLLECT_MS;
	int64_t until_ms = now_ms + QUIET_MS;

	while (now_ms < until_ms && now_ms < last_ms) {
		size_t before = builds->count;

		if (farm->signal != 0)
			return br_fail(err, BR_ECANCELED, "stopped");
		if (!farm_turn(farm, br_clock_earlier(until_ms, last_ms), -1,
			    NULL, err))
			return false;
		take_answers(farm, arena, builds);
		now_ms = br_clock_now_ms();
		if (builds->count > before)
			until_ms = now_ms + QUIET_MS;
	}
	return true;
}

static bool publish(struct farm *farm, const char *reply_to, struct br_str text,
	bool *is_returned, struct br_err *err)
{
	struct farm_answer answer = { 0 };
	const struct br_message message = {
		.exchange = NAMES_CONTROL,
		.routing_key = CONTROL_JOB,
		.body = text,
		.is_mandatory = true,
		.reply_to = reply_to,
	};

	br_exchange_declare(farm->broker, FARM_LOOK, NAMES_CONTROL, "fanout",
		farm_take_answer, &answer);
	return farm_expect(farm, &answer, err) &&
		farm_publish(farm, &message, is_returned, err);
}

static bool offer(const struct options *options, struct farm *farm,
	struct br_str text, struct br_arena *arena, struct builds *builds,
	struct br_err *err)
{
	char queue[FARM_QUEUE_BYTES];
	bool is_returned = false;

	/* Whose events they will be is known only when the agents have begun. */
	if (submit_waits(options) && !farm_subscribe(farm, "#", err))
		return false;
	return farm_listen(farm, FARM_REPLIES, queue, err) &&
		publish(farm, queue, text, &is_returned, err) &&
		(is_returned || collect(farm, arena, builds, err));
}

static int print_taken(FILE *file, const struct builds *builds)
{
	(void)fprintf(file, "taken by %zu agent%s\n", builds->count,
		builds->count == 1 ? "" : "s");
	for (size_t i = 0; i < builds->count; i++)
		(void)fprintf(file, "%s %s\n", builds->items[i].id,
			builds->items[i].agent);
	if (fflush(file) == 0)
		return builds->count > 0 ? FARM_EXIT_PASS
					 : FARM_EXIT_ENVIRONMENT;
	perror("buildr: write to stdout");
	return FARM_EXIT_ENVIRONMENT;
}

int submit_everywhere(
	const struct options *options, struct farm *farm, struct br_str text)
{
	struct br_arena arena = { 0 };
	struct builds builds = { 0 };
	struct br_err err = { 0 };
	int status = FARM_EXIT_PASS;

	if (!offer(options, farm, text, &arena, &builds, &err)) {
		status = farm_complain(farm, &err);
	} else {
		/* Where the builds are shown stdout is theirs. */
		status = print_taken(
			submit_waits(options) ? stderr : stdout, &builds);
		if (status == FARM_EXIT_PASS && submit_waits(options))
			status = wait_for(options, farm, &builds, true);
	}
	builds_done(&builds);
	br_arena_done(&arena);
	return status;
}
