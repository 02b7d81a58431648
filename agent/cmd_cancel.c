/* SPDX-License-Identifier: MIT */
/* cmd_cancel.c - `buildr cancel`: stops a build, wherever it runs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/cancel.h"
#include "agent/farm_commands.h"
#include "agent/names.h"
#include "base/clean.h"
#include "base/clock.h"
#include "event/json.h"
#include "view/words.h"

enum {
	/* Steps have ten seconds to end, and a container some more. */
	END_TIMEOUT_MS = 60 * 1000,
};

/* What was found out about the build. */
struct stopping {
	const char *build;
	enum cancel_end end;
	/* Its last event has come, with this result. */
	bool is_finished;
	enum br_result result;
};

static void take_events(struct farm *farm, struct stopping *stopping)
{
	const struct farm_message *first = NULL;

	while ((first = farm_first(farm, FARM_EVENTS)) != NULL) {
		const struct br_str body = { first->body, first->body_len };
		struct br_arena arena = { 0 };
		struct br_event event = { 0 };
		struct br_err ignored = { 0 };

		if (br_event_parse(body, &arena, &event, &ignored) &&
			event.type == BR_EVENT_BUILD_FINISHED &&
			strcmp(event.build, stopping->build) == 0) {
			stopping->is_finished = true;
			stopping->result = event.build_finished.result;
		}
		br_arena_done(&arena);
		farm_drop(farm, FARM_EVENTS);
	}
}

/* Until the agent has reported, or there is none any more. */
static bool await_end(
	struct farm *farm, struct stopping *stopping, struct br_err *err)
{
	int64_t again_ms = br_clock_now_ms() + CANCEL_AGAIN_MS;
	int64_t last_ms = br_clock_now_ms() + END_TIMEOUT_MS;

	while (stopping->end == CANCEL_ASKED && !stopping->is_finished &&
		br_clock_now_ms() < last_ms) {
		if (farm->signal != 0)
			return br_fail(err, BR_ECANCELED, "stopped");
		if (!farm_turn(farm, again_ms, -1, NULL, err))
			return false;
		take_events(farm, stopping);
		if (stopping->is_finished || br_clock_now_ms() < again_ms)
			continue;
		again_ms = br_clock_now_ms() + CANCEL_AGAIN_MS;
		if (!cancel_build(farm, stopping->build, &stopping->end, err))
			return false;
		/* It may have come while we asked. */
		take_events(farm, stopping);
	}
	return true;
}

static int tell(const struct stopping *stopping)
{
	const char *build = stopping->build;

	if (stopping->end == CANCEL_REPORTED) {
		(void)fprintf(stderr,
			"buildr: no agent works on build %s: it is cancelled, "
			"and a job of this id that waits is not run\n",
			build);
		return FARM_EXIT_PASS;
	}
	if (stopping->is_finished && stopping->result == BR_RESULT_CANCELLED) {
		(void)fprintf(stderr, "buildr: cancelled %s\n", build);
		return FARM_EXIT_PASS;
	}
	if (stopping->is_finished || stopping->end == CANCEL_LATE) {
		(void)fprintf(stderr, "buildr: build %s has ended before%s%s\n",
			build, stopping->is_finished ? ": " : "",
			stopping->is_finished
				? br_words_of_result(stopping->result)
				: "");
		return FARM_EXIT_USAGE;
	}
	(void)fprintf(stderr,
		"buildr: the agent of build %s was told, but has not ended it "
		"within %d s\n",
		build, END_TIMEOUT_MS / 1000);
	return FARM_EXIT_ENVIRONMENT;
}

static bool stop(
	struct farm *farm, struct stopping *stopping, struct br_err *err)
{
	br_autofree char *key = names_finished(stopping->build);

	return farm_subscribe(farm, key, err) &&
		cancel_build(farm, stopping->build, &stopping->end, err) &&
		await_end(farm, stopping, err);
}

int cmd_cancel(const struct options *options)
{
	char build[BR_UUID_TEXT_BYTES] = "";
	struct stopping stopping = { .build = build };
	struct farm farm = { 0 };
	struct br_err err = { 0 };
	int status = FARM_EXIT_PASS;

	if (!br_uuid_is_valid(options->stages[0])) {
		(void)fprintf(stderr,
			"buildr: '%s' is no build: the id that 'buildr submit' "
			"has printed is a UUID\n",
			options->stages[0]);
		return FARM_EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof(build); i++)
		build[i] = (char)tolower((unsigned char)options->stages[0][i]);
	if (farm_open(options, &farm, &err) && stop(&farm, &stopping, &err))
		status = tell(&stopping);
	else
		status = farm_complain(&farm, &err);
	farm_close(&farm);
	return status;
}
