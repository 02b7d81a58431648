/* SPDX-License-Identifier: MIT */
#include "agent/wait.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/board.h"
#include "agent/cancel.h"
#include "agent/names.h"
#include "base/clean.h"
#include "base/clock.h"
#include "cmd/views.h"
#include "event/json.h"
#include "view/view.h"

enum {
	/* A view writes what it kept back when nothing has come for so long. */
	FLUSH_MS = 100,
	/* Between two looks whether the agents are there. */
	LOOK_MS = 5000,
	/* A build that no agent has had for so long has no report. */
	MISSED_MS = 30 * 1000,
};

enum question {
	/* Nobody has asked for anything. */
	QUESTION_NONE,
	/* It stands on the terminal; events wait. */
	QUESTION_ASKED,
	/* The builds are to be cancelled. */
	QUESTION_YES,
};

struct wait {
	const struct options *options;
	struct farm *farm;
	struct builds *builds;
	bool is_board;
	/* NULL: not before the first event. */
	struct br_sink *view;
	enum question question;
	/* Monotonic; -1: never. */
	int64_t flush_ms;
	int64_t cancel_ms;
	int64_t look_ms;
};

static bool is_quiet(const struct wait *wait)
{
	return wait->options->is_quiet || wait->options->output == OUTPUT_QUIET;
}

/* Many builds in words; as JSON they are told apart by their ids. */
static bool has_board(const struct wait *wait)
{
	return wait->is_board && wait->options->output != OUTPUT_JSON;
}

static struct br_sink *make_view(const struct wait *wait)
{
	return has_board(wait) ? board_new(STDOUT_FILENO)
			       : views_make(wait->options, "buildr run");
}

static void free_view(struct wait *wait)
{
	if (has_board(wait))
		board_free(wait->view);
	else
		br_view_free(wait->view);
	wait->view = NULL;
}

/* Its events begin anew, and so does the view of one build. */
static void begin_try(struct wait *wait, const struct br_event *event)
{
	if (wait->is_board)
		return;
	free_view(wait);
	if (!is_quiet(wait))
		(void)fprintf(stderr,
			"buildr: try %" PRIu32 " of the build begins: the one "
			"before has ended without a result\n",
			event->attempt);
}

/* What is no event, or not of our builds, is none of our business. */
static bool take_event(
	struct wait *wait, struct br_str body, struct br_err *err)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err ignored = { 0 };
	enum builds_take what = BUILDS_OLD;
	bool is_shown = true;

	if (br_event_parse(body, &arena, &event, &ignored))
		what = builds_take(wait->builds, &event);
	if (what == BUILDS_NEW_TRY)
		begin_try(wait, &event);
	if (what != BUILDS_OLD && !(has_board(wait) && is_quiet(wait))) {
		if (!wait->view)
			wait->view = make_view(wait);
		is_shown = br_sink_handle(wait->view, &event, err);
		wait->flush_ms = br_clock_now_ms() + FLUSH_MS;
	}
	br_arena_done(&arena);
	return is_shown;
}

static bool take_events(struct wait *wait, struct br_err *err)
{
	const struct farm_message *first = NULL;

	while (!builds_are_finished(wait->builds) &&
		(first = farm_first(wait->farm, FARM_EVENTS)) != NULL) {
		const struct br_str body = { first->body, first->body_len };

		if (!take_event(wait, body, err))
			return false;
		farm_drop(wait->farm, FARM_EVENTS);
	}
	return true;
}

static bool flush(struct wait *wait, struct br_err *err)
{
	if (!wait->view || wait->flush_ms < 0 ||
		wait->flush_ms > br_clock_now_ms())
		return true;
	wait->flush_ms = -1;
	return br_sink_flush(wait->view, err);
}

/* While a question stands there, the view shows nothing. */
static int64_t tick_at_ms(const struct wait *wait)
{
	bool is_shown = wait->view && wait->question != QUESTION_ASKED;

	return is_shown && wait->view->tick_ms > 0 ? wait->view->tick_ms : -1;
}

static bool tick(struct wait *wait, struct br_err *err)
{
	return tick_at_ms(wait) < 0 ||
		br_sink_tick(wait->view, br_clock_now_ms(), err);
}

/* Cancel what has not ended. Of those that an agent has the report will come. */
static bool cancel_all(struct wait *wait, struct br_err *err)
{
	wait->cancel_ms = br_clock_now_ms() + CANCEL_AGAIN_MS;
	for (size_t i = 0; i < wait->builds->count; i++) {
		const struct builds_one *one = &wait->builds->items[i];
		enum cancel_end end = CANCEL_LATE;

		if (!one->is_finished &&
			!cancel_build(wait->farm, one->id, &end, err))
			return false;
	}
	return true;
}

/* Whether there is a queue of this name, of whichever connection. */
static bool is_there(struct farm *farm, const char *queue, bool *is_found,
	struct br_err *err)
{
	const struct br_queue_spec spec = { .name = queue, .is_passive = true };
	struct farm_answer answer = { 0 };

	br_queue_declare(
		farm->broker, FARM_LOOK, &spec, farm_take_answer, &answer);
	if (!farm_await(farm, &answer, err))
		return false;
	*is_found = answer.err.code != BR_ENOTFOUND;
	return true;
}

/* A job for one agent goes with it: nobody else reports. */
static bool look_after(
	struct wait *wait, struct builds_one *one, struct br_err *err)
{
	br_autofree char *claim = names_claim(one->id);
	int64_t now_ms = br_clock_now_ms();
	bool has_agent = false;

	if (!is_there(wait->farm, claim, &has_agent, err) ||
		(!has_agent && one->agent_queue[0] != '\0' &&
			!is_there(
				wait->farm, one->agent_queue, &has_agent, err)))
		return false;
	if (has_agent)
		one->missed_ms = -1;
	else if (one->missed_ms < 0)
		one->missed_ms = now_ms;
	else if (now_ms - one->missed_ms >= MISSED_MS) {
		(void)fprintf(stderr,
			"buildr: the agent '%s' is gone; there is no report of "
			"build %s\n",
			one->agent, one->id);
		builds_give_up(one);
	}
	return true;
}

static bool look_after_all(struct wait *wait, struct br_err *err)
{
	if (!wait->is_board || br_clock_now_ms() < wait->look_ms)
		return true;
	wait->look_ms = br_clock_now_ms() + LOOK_MS;
	for (size_t i = 0; i < wait->builds->count; i++)
		if (!wait->builds->items[i].is_finished &&
			!look_after(wait, &wait->builds->items[i], err))
			return false;
	return true;
}

/* Note that a signal came. Fails with BR_ECANCELED where that is the end. */
static bool heed_signal(struct wait *wait, struct br_err *err)
{
	bool has_terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);

	if (wait->farm->signal == 0)
		return true;
	if (wait->farm->signal != SIGINT || !has_terminal ||
		wait->question != QUESTION_NONE)
		return br_fail(err, BR_ECANCELED, "stopped");
	wait->farm->signal = 0;
	wait->question = QUESTION_ASKED;
	if (!has_board(wait))
		br_view_hide(wait->view);
	/* What was typed before is no answer. */
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	(void)fprintf(stderr,
		"\nbuildr: cancel the build? y cancels it; n, or Ctrl-C again, "
		"leaves it to itself: ");
	return true;
}

static bool take_answer(struct wait *wait, struct br_err *err)
{
	char line[80];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line));

	if (n < 1 || (line[0] != 'y' && line[0] != 'Y')) {
		wait->farm->signal = SIGINT;
		return br_fail(err, BR_ECANCELED, "stopped");
	}
	wait->question = QUESTION_YES;
	return cancel_all(wait, err);
}

static bool turn(struct wait *wait, struct br_err *err)
{
	bool is_asking = wait->question == QUESTION_ASKED;
	bool is_ready = false;
	int64_t until_ms = br_clock_earlier(wait->flush_ms, wait->cancel_ms);

	until_ms = br_clock_earlier(until_ms, tick_at_ms(wait));
	if (wait->is_board)
		until_ms = br_clock_earlier(until_ms, wait->look_ms);
	if (!farm_turn(wait->farm, until_ms, is_asking ? STDIN_FILENO : -1,
		    &is_ready, err))
		return false;
	if (!heed_signal(wait, err) || (is_ready && !take_answer(wait, err)))
		return false;
	if (wait->question == QUESTION_YES &&
		wait->cancel_ms <= br_clock_now_ms() && !cancel_all(wait, err))
		return false;
	/* The question would be lost in what the view writes. */
	return wait->question == QUESTION_ASKED ||
		(take_events(wait, err) && flush(wait, err) &&
			tick(wait, err) && look_after_all(wait, err));
}

/* Say what becomes of the builds that nobody watches any more. */
static int leave(const struct wait *wait, const struct br_err *err)
{
	int status = farm_complain(wait->farm, err);

	for (size_t i = 0; i < wait->builds->count; i++)
		if (!wait->builds->items[i].is_finished)
			(void)fprintf(stderr,
				"%sbuildr: build %s goes on; 'buildr cancel' "
				"stops it\n",
				wait->question == QUESTION_ASKED && i == 0
					? "\n"
					: "",
				wait->builds->items[i].id);
	return status;
}

int wait_for(const struct options *options, struct farm *farm,
	struct builds *builds, bool is_board)
{
	struct wait wait = {
		.options = options,
		.farm = farm,
		.builds = builds,
		.is_board = is_board,
		.flush_ms = -1,
		.cancel_ms = -1,
		.look_ms = br_clock_now_ms() + LOOK_MS,
	};
	struct br_err err = { 0 };
	bool is_well = heed_signal(&wait, &err) && take_events(&wait, &err);

	while (is_well && !builds_are_finished(builds))
		is_well = turn(&wait, &err);
	free_view(&wait);
	return is_well ? builds_exit(builds) : leave(&wait, &err);
}
