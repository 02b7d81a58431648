/* SPDX-License-Identifier: MIT */
#include "cmd/rerun/rerun.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/rerun/rerun_build.h"
#include "cmd/rerun/rerun_files.h"
#include "cmd/rerun/rerun_say.h"
#include "cmd/views.h"
#include "watch/batch.h"
#include "watch/products.h"
#include "watch/watch.h"

enum { EXIT_SIGNAL = 128 };

struct rerun {
	const struct options *options;
	struct rerun_files files;
	struct br_watch *watch;
	/* What has changed and was not looked at yet. */
	struct br_batch batch;
	/* What has changed since the last build that passed. */
	struct br_path_index since;
	/* Compare with git instead, as the first build does. */
	bool is_full;
	struct br_products products;

	/* The build that runs; 0: none. */
	pid_t build;
	/* It has ended, and what it changed was not looked at yet. */
	bool has_ended;
	int status;
	/* The user wants another one at once. */
	bool is_asked;

	int signal_fd;
	/* The terminal, as long as it can be read; -1: there is none. */
	int keys_fd;
	/* For as long as somebody reads it. */
	int out_fd;
	/* To end: with this status. */
	bool is_over;
	int end_status;
};

static void say_waiting(struct rerun *rerun)
{
	/* It may be ours again by now. */
	rerun->keys_fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
	rerun_say(rerun->options, "waiting for files to change%s",
		rerun->keys_fd >= 0 ? " (Enter: run again, q and Enter: end)"
				    : "");
}

static void ignore(
	void *ctx, const char *const *folders, size_t count, bool *is_ignored)
{
	const struct rerun *rerun = ctx;

	rerun_files_ignore(&rerun->files, folders, count, is_ignored);
}

static void take_news(void *ctx, enum br_watch_news news, const char *path)
{
	struct rerun *rerun = ctx;

	br_batch_add(&rerun->batch, news, path, br_clock_now_ms());
}

static void complain_of_folder(void *ctx, const char *folder, int error)
{
	(void)ctx;
	(void)fprintf(stderr, "buildr: changes in '%s' are not seen: %s\n",
		folder, strerror(error));
}

/* Watch the files that the manifest names, too: they may be outside. */
static void watch_named(struct rerun *rerun)
{
	for (size_t i = 0; i < rerun->files.named.count; i++) {
		struct br_err err = { 0 };

		if (!br_watch_add_file(
			    rerun->watch, rerun->files.named.items[i], &err))
			complain(&err);
	}
}

static void start_build(struct rerun *rerun)
{
	struct br_err err = { 0 };
	const struct br_plan_names changed = {
		(const char *const *)rerun->since.paths.items,
		rerun->since.paths.count,
	};
	bool is_full = rerun->is_full || rerun->options->base;

	br_batch_done(&rerun->batch);
	rerun->is_asked = false;
	if (rerun_build_start(rerun->options, is_full ? NULL : &changed,
		    &rerun->build, &err))
		return;
	rerun->build = 0;
	complain(&err);
	rerun->status = STATUS_ENVIRONMENT;
	say_waiting(rerun);
}

/* Leave out what does not count; `is_users`: no build has changed it. */
static bool filter(struct rerun *rerun, bool is_users, struct br_err *err)
{
	const struct br_paths *paths = &rerun->batch.index.paths;
	br_autofree bool *is_dropped =
		br_alloc_array(paths->count, sizeof(*is_dropped));

	if (paths->count > 0)
		rerun_files_ignore(&rerun->files,
			(const char *const *)paths->items, paths->count,
			is_dropped);
	br_batch_drop(&rerun->batch, is_dropped);
	for (size_t i = 0; i < paths->count; i++) {
		const char *slash = strrchr(paths->items[i], '/');
		const char *name = slash ? slash + 1 : paths->items[i];

		if (strcmp(name, ".gitignore") != 0)
			continue;
		/* More may count now, and what builds write may not. */
		if (is_users)
			br_products_done(&rerun->products);
		return br_watch_look_again(rerun->watch, err);
	}
	return true;
}

/* An editor's try whether it may write here is no change. */
static void drop_passing(struct rerun *rerun)
{
	const struct br_paths *paths = &rerun->batch.index.paths;
	br_autofree bool *is_dropped =
		br_alloc_array(paths->count, sizeof(*is_dropped));

	for (size_t i = 0; i < paths->count; i++) {
		br_autofree char *path =
			br_path_join(rerun->files.top, paths->items[i]);
		struct stat status;

		is_dropped[i] =
			rerun->batch.is_made[i] && lstat(path, &status) < 0;
	}
	br_batch_drop(&rerun->batch, is_dropped);
}

/* Start a build for what is in the batch. */
static void build_changes(struct rerun *rerun, const char *what)
{
	const struct br_paths *paths = &rerun->batch.index.paths;
	struct br_err err = { 0 };
	bool is_named = false;

	for (size_t i = 0; i < paths->count; i++) {
		is_named |=
			rerun_files_is_named(&rerun->files, paths->items[i]);
		(void)br_path_index_put(&rerun->since, paths->items[i]);
	}
	rerun->is_full |= is_named || rerun->batch.is_lost;
	/* The build itself tells what is wrong with the manifest. */
	if (is_named && rerun_files_load(rerun->options, &rerun->files, &err)) {
		watch_named(rerun);
		if (!br_watch_look_again(rerun->watch, &err))
			complain(&err);
	}
	rerun_say_files(rerun->options, paths, what);
	start_build(rerun);
}

/* It has been quiet for a moment. */
static bool take_changes(struct rerun *rerun, struct br_err *err)
{
	if (!filter(rerun, true, err))
		return false;
	drop_passing(rerun);
	if (br_batch_is_empty(&rerun->batch))
		return true;
	br_products_note(&rerun->products, rerun->files.top, &rerun->batch);
	build_changes(rerun, "changed");
	return true;
}

/* Look at what changed while the build ran that has ended. */
static bool take_end(struct rerun *rerun, struct br_err *err)
{
	struct br_paths found = { 0 };

	rerun->has_ended = false;
	if (!filter(rerun, false, err))
		return false;
	br_products_judge(
		&rerun->products, rerun->files.top, &rerun->batch, &found);
	if (found.count > 0)
		rerun_say_files(rerun->options, &found,
			"changes in each build, which starts no more builds; "
			"if builds write that, .gitignore should name it");
	br_paths_done(&found);
	if (br_batch_is_empty(&rerun->batch))
		say_waiting(rerun);
	else
		build_changes(rerun, "changed while the build ran");
	return true;
}

static void note_end(struct rerun *rerun, int status)
{
	rerun->build = 0;
	rerun->has_ended = true;
	rerun->status = status;
	if (status != STATUS_PASS)
		return;
	rerun->is_full = false;
	br_path_index_done(&rerun->since);
}

/* End, as soon as there is no build any more. */
static void end(struct rerun *rerun, int status, int number)
{
	if (!rerun->is_over)
		rerun->end_status = status;
	rerun->is_over = true;
	if (rerun->build > 0)
		rerun_build_stop(rerun->build, number);
}

static void take_signals(struct rerun *rerun)
{
	struct signalfd_siginfo info;

	while (read(rerun->signal_fd, &info, sizeof(info)) ==
		(ssize_t)sizeof(info)) {
		int number = info.ssi_signo == SIGINT ? SIGINT : SIGTERM;
		int status = -1;

		if (info.ssi_signo != SIGCHLD)
			end(rerun, EXIT_SIGNAL + number, number);
		else if (rerun->build > 0)
			status = rerun_build_status(rerun->build);
		if (status >= 0)
			note_end(rerun, status);
	}
}

/*
 * The end of a line has moved the cursor below where the live view has put it, and what
 * the view has there would stay.
 */
static void undo_echo(const struct rerun *rerun)
{
	static const char up[] = "\x1b[A\r";

	if (rerun->build > 0 && views_are_live(rerun->options))
		(void)!write(STDOUT_FILENO, up, sizeof(up) - 1);
}

/* A line of the terminal: nothing, or `q`; its end is an end too. */
static void take_keys(struct rerun *rerun)
{
	char line[256];
	ssize_t n = read(rerun->keys_fd, line, sizeof(line));

	/* In the background it is not ours to read. */
	if (n < 0 && errno != EINTR)
		rerun->keys_fd = -1;
	if (n > 0)
		undo_echo(rerun);
	if (n == 0 || (n > 0 && line[0] == 'q')) {
		end(rerun,
			rerun->build > 0 ? EXIT_SIGNAL + SIGTERM
					 : rerun->status,
			SIGTERM);
	} else if (n > 0 && !rerun->is_over) {
		rerun->is_asked = true;
		if (rerun->build > 0)
			rerun_build_stop(rerun->build, SIGTERM);
	}
}

static int wait_ms(const struct rerun *rerun)
{
	int64_t left_ms = br_batch_wait_ms(&rerun->batch, br_clock_now_ms());

	if (rerun->build > 0)
		return -1;
	return (int)left_ms;
}

static bool wait_for_news(struct rerun *rerun, struct br_err *err)
{
	struct pollfd polled[] = {
		{ .fd = rerun->signal_fd, .events = POLLIN },
		{ .fd = br_watch_fd(rerun->watch), .events = POLLIN },
		{ .fd = rerun->keys_fd, .events = POLLIN },
		/* Only whether its reader is gone. */
		{ .fd = rerun->out_fd },
	};

	if (poll(polled, sizeof(polled) / sizeof(polled[0]), wait_ms(rerun)) <
			0 &&
		errno != EINTR)
		return br_fail_errno(err, "wait for changes");
	if (polled[3].revents) {
		rerun->out_fd = -1;
		end(rerun, STATUS_ENVIRONMENT, SIGTERM);
	}
	if (polled[2].revents)
		take_keys(rerun);
	take_signals(rerun);
	/* After the end of a build, so that all that it wrote is here. */
	return br_watch_read(rerun->watch, err);
}

/* Do what is due while no build runs. */
static bool act(struct rerun *rerun, struct br_err *err)
{
	int64_t left_ms = br_batch_wait_ms(&rerun->batch, br_clock_now_ms());

	if (rerun->is_asked) {
		rerun->has_ended = false;
		rerun->is_full = true;
		start_build(rerun);
		return true;
	}
	if (rerun->has_ended)
		return left_ms > 0 || take_end(rerun, err);
	return left_ms != 0 || take_changes(rerun, err);
}

/* Until the end; a build that runs then is stopped, and waited for. */
static bool loop(struct rerun *rerun, struct br_err *err)
{
	while (rerun->build > 0 || !rerun->is_over) {
		if (!wait_for_news(rerun, err))
			return false;
		if (rerun->build == 0 && !rerun->is_over && !act(rerun, err))
			return false;
	}
	return true;
}

/* Where watching is no more possible, the build must end too. */
static void stop_build(struct rerun *rerun)
{
	struct pollfd polled = { .fd = rerun->signal_fd, .events = POLLIN };

	end(rerun, STATUS_ENVIRONMENT, SIGTERM);
	while (rerun->build > 0) {
		(void)poll(&polled, 1, -1);
		take_signals(rerun);
	}
}

static bool catch_signals(struct rerun *rerun, struct br_err *err)
{
	struct sigaction before;
	sigset_t caught;

	(void)sigemptyset(&caught);
	(void)sigaddset(&caught, SIGINT);
	(void)sigaddset(&caught, SIGTERM);
	(void)sigaddset(&caught, SIGCHLD);
	/* nohup(1) wants it ignored. */
	if (sigaction(SIGHUP, NULL, &before) < 0 ||
		before.sa_handler != SIG_IGN)
		(void)sigaddset(&caught, SIGHUP);
	/* To read the terminal in the background is an error then, no stop. */
	(void)signal(SIGTTIN, SIG_IGN);
	rerun->signal_fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	return (rerun->signal_fd >= 0 &&
		       sigprocmask(SIG_BLOCK, &caught, NULL) == 0) ||
		br_fail_errno(err, "watch for signals");
}

static bool open_all(struct rerun *rerun, struct br_err *err)
{
	const struct br_watch_user user = { rerun, ignore, take_news,
		complain_of_folder };

	if (!rerun_files_find(rerun->options, &rerun->files, err) ||
		!rerun_files_load(rerun->options, &rerun->files, err) ||
		!catch_signals(rerun, err) ||
		!br_watch_open(rerun->files.top, &user, &rerun->watch, err))
		return false;
	watch_named(rerun);
	if (rerun_files_is_git_silent(&rerun->files))
		rerun_say(rerun->options,
			"git does not say what it ignores here: all files "
			"count");
	return true;
}

int rerun(const struct options *options)
{
	struct rerun rerun = {
		.options = options,
		.is_full = true,
		.signal_fd = -1,
		.keys_fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1,
		.out_fd = STDOUT_FILENO,
	};
	struct br_err err = { 0 };

	bool is_well = open_all(&rerun, &err);
	if (is_well) {
		start_build(&rerun);
		is_well = loop(&rerun, &err);
	}
	if (!is_well) {
		complain(&err);
		stop_build(&rerun);
		rerun.end_status = status_of(&err);
		if (rerun.watch)
			rerun.end_status = STATUS_ENVIRONMENT;
	}
	br_watch_free(rerun.watch);
	br_batch_done(&rerun.batch);
	br_products_done(&rerun.products);
	br_path_index_done(&rerun.since);
	rerun_files_done(&rerun.files);
	br_clean_close(&rerun.signal_fd);
	return rerun.end_status;
}
