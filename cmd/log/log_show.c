/* SPDX-License-Identifier: MIT */
#include "cmd/log/log_show.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/suggest.h"
#include "cmd/commands.h"
#include "cmd/project.h"
#include "cmd/views.h"
#include "log/folder.h"
#include "log/follow.h"
#include "log/reader.h"
#include "log/stages.h"
#include "view/both.h"
#include "view/junit.h"
#include "view/only.h"
#include "view/view.h"

enum { EXIT_SIGNAL = 128 };

/* The signal that ends following; a second one ends everything. */
static volatile sig_atomic_t seen_signal;

static void on_signal(int number)
{
	/* A terminal that closes is an end like any other. */
	seen_signal = number == SIGINT ? SIGINT : SIGTERM;
}

int log_place_find(const struct options *options, struct log_place *place)
{
	struct br_err err = { 0 };

	*place = (struct log_place){ 0 };
	if (project_find(options, &place->project, &err) &&
		br_log_folder_find(place->project, &place->folder, &err) &&
		br_log_builds_load(place->folder, &place->builds, &err))
		return STATUS_PASS;
	complain(&err);
	return status_of(&err);
}

void log_place_done(struct log_place *place)
{
	br_log_builds_done(&place->builds);
	free(place->folder);
	free(place->project);
}

/* Where it is of another project, say of which. */
static void complain_of_build(const struct log_place *place, const char *name,
	const struct br_err *err)
{
	br_autofree char *project = err->code == BR_ENOTFOUND
		? br_log_builds_elsewhere(place->folder, name)
		: NULL;

	if (project)
		(void)fprintf(stderr,
			"buildr: '%s' is a build of another project: 'buildr "
			"log -C %s %s'\n",
			name, project, name);
	else
		complain(err);
}

static bool has_stage(const struct br_log_stages *stages, const char *name)
{
	for (size_t i = 0; i < stages->names.count; i++)
		if (br_only_matches(name, stages->names.items[i]))
			return true;
	return false;
}

/* Fails where a name means no stage of the build, if its log tells of them. */
static bool check_stages(const struct br_log_stages *stages,
	const struct br_names *names, struct br_err *err)
{
	for (size_t i = 0; stages->has_names && i < names->count; i++) {
		const char *name = names->items[i];

		if (has_stage(stages, name))
			continue;

		const char *near = br_suggest_find(
			name, stages->names.items, stages->names.count);

		return br_fail(err, BR_ENOTFOUND,
			"the build has no stage '%s'%s%s%s", name,
			near ? ": did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
	return true;
}

/* What is shown, and how. */
struct show {
	const struct options *options;
	const char *folder;
	const struct br_log_build *build;
	/* All where there are none. */
	struct br_names names;
	struct br_log_reader *reader;
	struct br_sink *view;
	/* NULL: none is wanted. */
	struct br_sink *report;
	/* build.finished has been shown. */
	bool has_finished;
};

static bool show_event(
	struct show *show, const struct br_event *event, struct br_err *err)
{
	if (event->type == BR_EVENT_BUILD_FINISHED)
		show->has_finished = true;
	return br_sink_handle(show->view, event, err);
}

static bool show_rest(struct show *show, struct br_err *err)
{
	const struct br_event *event;

	while (seen_signal == 0 &&
		(event = br_log_reader_next(show->reader)) != NULL)
		if (!show_event(show, event, err))
			return false;
	return true;
}

/* Ctrl-C ends it as it ends a pager; what the view has begun, it ends. */
static void catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND };

	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		(void)sigaction(caught[i], &action, NULL);
}

static bool follow(struct show *show, struct br_err *err)
{
	struct br_log_follow watch = { 0 };
	bool is_shown = true;
	bool is_running;
	br_log_follow_open(&watch, show->folder, show->build->build);
	do {
		/* Looked at first: what it wrote before its end is there then. */
		is_running = br_log_reader_is_running(show->reader);
		is_shown = show_rest(show, err) &&
			br_sink_flush(show->view, err) &&
			br_sink_tick(show->view, br_clock_now_ms(), err);
		if (is_running && is_shown && seen_signal == 0)
			br_log_follow_wait(&watch);
	} while (is_running && is_shown && seen_signal == 0);
	br_log_follow_close(&watch);
	return is_shown;
}

/* What the log is not, people are told. */
static void tell_state(const struct show *show)
{
	size_t unreadable = br_log_reader_unreadable(show->reader);

	if (show->options->is_quiet)
		return;
	if (unreadable > 0)
		(void)fprintf(stderr,
			"buildr: %zu line%s of the log cannot be read\n",
			unreadable, unreadable == 1 ? "" : "s");
	if (show->has_finished)
		return;
	if (br_log_reader_is_running(show->reader))
		(void)fprintf(stderr,
			"buildr: the build still runs: --follow shows how it "
			"goes on\n");
	else
		(void)fprintf(stderr,
			"buildr: the build has not finished, and does not run "
			"any more\n");
}

/* A reader that has gone, as `head` does, has all that it wants. */
static int end_of(const struct br_err *err)
{
	if (errno != EPIPE)
		complain(err);
	return STATUS_ENVIRONMENT;
}

static int show_events(struct show *show)
{
	struct br_err err = { 0 };
	const struct br_event *first;
	bool is_shown;

	if (show->options->is_followed)
		catch_signals();
	/* The header comes with the first event. */
	first = br_log_reader_next(show->reader);
	show->view = views_make_of_log(
		show->options, br_log_reader_header(show->reader)->command);
	if (show->report)
		show->view = br_both_new(show->view, show->report);
	if (show->names.count > 0)
		show->view = br_only_new(show->view, &show->names);
	is_shown = !first || show_event(show, first, &err);
	if (is_shown)
		is_shown = show->options->is_followed ? follow(show, &err)
						      : show_rest(show, &err);

	int status = is_shown ? STATUS_PASS : end_of(&err);

	br_view_free(show->view);
	if (is_shown && seen_signal != 0)
		return EXIT_SIGNAL + (int)seen_signal;
	if (is_shown)
		tell_state(show);
	return status;
}

/* Find the stages that are to be shown. Gives false where that is none. */
static bool choose_stages(
	struct show *show, struct br_log_stages *stages, int *status)
{
	struct br_err err = { 0 };

	*status = STATUS_PASS;
	if (!br_log_stages_load(
		    show->folder, show->build->build, stages, &err) ||
		!check_stages(stages, &show->names, &err)) {
		complain(&err);
		*status = status_of(&err);
		return false;
	}
	if (!show->options->is_failed_only)
		return true;
	show->names = stages->failed;
	if (stages->failed.count > 0)
		return true;
	(void)fprintf(stderr, "buildr: no stage of this build has failed\n");
	return false;
}

/* Also of a build that has not finished, or of which the view could not show all. */
static int close_report(struct br_sink *report, int status)
{
	struct br_err err = { 0 };

	if (br_junit_close(report, &err))
		return status;
	complain(&err);
	return status == STATUS_PASS ? STATUS_ENVIRONMENT : status;
}

static int show_build(struct show *show)
{
	br_auto(br_log_reader) struct br_log_reader *reader = NULL;
	struct br_log_stages stages = { 0 };
	struct br_err err = { 0 };
	int status = STATUS_PASS;

	if (!br_log_reader_open(
		    show->folder, show->build->build, true, &reader, &err)) {
		complain(&err);
		return status_of(&err);
	}
	show->reader = reader;
	if (show->options->junit &&
		!br_junit_open(show->options->junit, &show->report, &err)) {
		complain(&err);
		return status_of(&err);
	}
	if ((show->names.count == 0 && !show->options->is_failed_only) ||
		choose_stages(show, &stages, &status))
		status = show_events(show);
	br_log_stages_done(&stages);
	return close_report(show->report, status);
}

int log_show(const struct options *options, const struct log_place *place)
{
	bool is_named = options->stage_count > 0;
	const char *name = is_named ? options->stages[0] : "@1";
	struct show show = { .options = options, .folder = place->folder };
	struct br_err err = { 0 };

	if (!is_named && place->builds.count == 0) {
		(void)fprintf(stderr, "buildr: no build of '%s' has a log\n",
			place->project);
		return STATUS_USAGE;
	}
	if (!br_log_builds_find(&place->builds, name, &show.build, &err)) {
		complain_of_build(place, name, &err);
		return status_of(&err);
	}
	if (is_named)
		show.names = (struct br_names){ options->stages + 1,
			options->stage_count - 1 };
	return show_build(&show);
}
