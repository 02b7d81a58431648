/* SPDX-License-Identifier: MIT */
/* cmd_submit.c - `buildr submit`: puts a job on the queue, and may wait for it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/builds.h"
#include "agent/farm_commands.h"
#include "agent/names.h"
#include "agent/request.h"
#include "agent/wait.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"

bool submit_waits(const struct options *options)
{
	return options->is_wait ||
		(!options->is_detached && isatty(STDOUT_FILENO));
}

static const char *queue_of(const struct options *options)
{
	return options->queue ? options->queue : "build_queue";
}

/* A queue that is there is taken as it is; another is made as agents make it. */
static bool find_queue(const struct options *options, struct farm *farm,
	const char *name, uint64_t *consumer_count, struct br_err *err)
{
	const struct br_queue_spec spec = { .name = name, .is_passive = true };
	struct farm_answer answer = { 0 };

	br_queue_declare(
		farm->broker, FARM_LOOK, &spec, farm_take_answer, &answer);
	if (!farm_await(farm, &answer, err))
		return false;
	if (answer.err.code == BR_ENOTFOUND) {
		answer = (struct farm_answer){ 0 };
		names_declare_job_queue(farm->broker, FARM_LOOK,
			queue_of(options), name, farm_take_answer, &answer);
	}
	if (!farm_expect(farm, &answer, err))
		return false;
	*consumer_count = answer.consumer_count;
	return true;
}

static bool pause_for(struct farm *farm, int64_t ms, struct br_err *err)
{
	int64_t until_ms = br_clock_now_ms() + ms;

	while (br_clock_now_ms() < until_ms) {
		if (farm->signal != 0)
			return br_fail(err, BR_ECANCELED, "stopped");
		if (!farm_turn(farm, until_ms, -1, NULL, err))
			return false;
	}
	return true;
}

/*
 * Publish, and again where the queue refuses: a quorum queue that has only just been made
 * may, and one that is full may not be for long.
 */
static bool publish_patiently(const struct options *options, struct farm *farm,
	const struct br_message *message, bool *is_returned, struct br_err *err)
{
	enum { PATIENCE_MS = 5000, AGAIN_MS = 100 };
	int64_t until_ms = br_clock_now_ms() + PATIENCE_MS;
	bool is_told = options->is_quiet;

	while (!farm_publish(farm, message, is_returned, err)) {
		if (!farm->is_confirmed || br_clock_now_ms() >= until_ms)
			return false;
		if (!is_told)
			(void)fprintf(stderr,
				"buildr: the queue '%s' refuses it: trying "
				"again\n",
				message->routing_key);
		is_told = true;
		*err = (struct br_err){ 0 };
		if (!pause_for(farm, AGAIN_MS, err))
			return false;
	}
	return true;
}

static bool publish_job(const struct options *options, struct farm *farm,
	const char *queue, const char *id, struct br_str text,
	struct br_err *err)
{
	const struct br_message message = {
		.exchange = "",
		.routing_key = queue,
		.body = text,
		.is_persistent = true,
		.is_mandatory = true,
		.message_id = id,
	};
	bool is_returned = false;

	if (!publish_patiently(options, farm, &message, &is_returned, err))
		return false;
	return !is_returned ||
		br_fail(err, BR_EUNAVAIL, "the queue '%s' is gone", queue);
}

static bool submit(const struct options *options, struct farm *farm,
	const struct job *job, struct br_str text, struct br_err *err)
{
	br_autofree char *queue =
		names_job_queue(queue_of(options), &job->labels);
	br_autofree char *key = br_format("%s.#", job->id);
	uint64_t consumer_count = 0;

	/* Before the job is there: the first event may come at once. */
	if (submit_waits(options) && !farm_subscribe(farm, key, err))
		return false;
	if (!find_queue(options, farm, queue, &consumer_count, err) ||
		!publish_job(options, farm, queue, job->id, text, err))
		return false;
	if (consumer_count == 0 && !options->is_quiet)
		(void)fprintf(stderr,
			"buildr: no agent takes jobs from '%s' now: this one "
			"waits there\n",
			queue);
	return true;
}

static int print_id(const char *id)
{
	if (printf("%s\n", id) > 0 && fflush(stdout) == 0)
		return FARM_EXIT_PASS;
	perror("buildr: write to stdout");
	return FARM_EXIT_ENVIRONMENT;
}

static int wait_for_one(
	const struct options *options, struct farm *farm, const char *id)
{
	struct builds builds = { 0 };

	if (!options->is_quiet && options->output != OUTPUT_QUIET)
		(void)fprintf(stderr, "buildr: submitted %s\n", id);
	builds_add(&builds, id, "", "");
	int status = wait_for(options, farm, &builds, false);

	builds_done(&builds);
	return status;
}

static int submit_one(const struct options *options, struct farm *farm,
	const struct job *job, struct br_str text)
{
	struct br_err err = { 0 };

	if (!submit(options, farm, job, text, &err))
		return farm_complain(farm, &err);
	if (submit_waits(options))
		return wait_for_one(options, farm, job->id);
	return print_id(job->id);
}

static int submit_job(const struct options *options, const struct job *job,
	struct br_str text)
{
	struct farm farm = { 0 };
	struct br_err err = { 0 };
	int status = FARM_EXIT_PASS;

	if (!farm_open(options, &farm, &err))
		status = farm_complain(&farm, &err);
	else if (options->is_everywhere)
		status = submit_everywhere(options, &farm, text);
	else
		status = submit_one(options, &farm, job, text);
	farm_close(&farm);
	return status;
}

int cmd_submit(const struct options *options)
{
	br_autobuf struct br_buf text = { 0 };
	struct job *job = NULL;
	struct br_err err = { 0 };
	int status = FARM_EXIT_USAGE;

	if (request_make(options, &text, &job, &err))
		status = submit_job(options, job, br_buf_str(&text));
	else
		(void)fprintf(stderr, "buildr: %s\n", err.text);
	job_free(job);
	return status;
}
