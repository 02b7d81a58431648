/* SPDX-License-Identifier: MIT */
#include "init/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/mem.h"
#include "init/report.h"
#include "init/steps.h"

enum {
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

static int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void stage_finish(struct stage *stage, int status, const char *failure,
	enum br_failure_kind kind)
{
	report_stage_finished(stage, status, failure, kind);
	stage->phase = STAGE_OVER;
	/* A shell that waits for an answer reads the end, and leaves. */
	control_close(&stage->control);
	if (failure && child_is_alive(&stage->shell))
		(void)kill(stage->shell.pid, SIGKILL);
	output_end(&stage->output);
}

void stage_fail(struct stage *stage, const char *what)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	stage_finish(stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_SYSTEM);
}

static void fail_start(struct stage *stage, const struct child *child)
{
	char text[512];
	const char *why = strerror(child->failure.error);

	switch (child->failure.stage) {
	case SPAWN_USER:
		(void)snprintf(text, sizeof(text), "user '%s': %s",
			stage->spec.user, why);
		stage_finish(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_USER);
		return;
	case SPAWN_WORKDIR:
		(void)snprintf(text, sizeof(text), "workdir '%s': %s",
			stage->spec.workdir, why);
		stage_finish(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_WORKDIR);
		return;
	case SPAWN_SYSTEM:
		(void)snprintf(text, sizeof(text), "start a process: %s", why);
		stage_finish(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_SYSTEM);
		return;
	case SPAWN_EXEC:
		break;
	}
	(void)snprintf(text, sizeof(text), "shell '%s': %s",
		stage->spec.has_input ? stage->spec.steps[0].argv[0]
				      : stage->spec.shell[0],
		why);
	if (child->failure.error == ENOENT)
		stage_finish(
			stage, STATUS_NOT_FOUND, text, BR_FAILURE_NO_SHELL);
	else
		stage_finish(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_SYSTEM);
}

/* The child runs its program, or has said why not. */
static void settle(struct stage *stage, struct child *child)
{
	if (child->report < 0)
		return;
	child_settle(child);
	if (child->has_failed)
		fail_start(stage, child);
	else
		steps_run(stage);
}

/* The figures of a process that is over; `before_us` was there already. */
static void count_usage(
	struct stage *stage, const struct child *child, int64_t before_us)
{
	stage->run.cpu_us = child->cpu_us - before_us;
	/* Of a shell that did an earlier step, the peak may be that one's. */
	if (before_us == 0)
		stage->run.max_rss_bytes =
			max_i64(stage->run.max_rss_bytes, child->max_rss_bytes);
}

static void end_shell(struct stage *stage)
{
	steps_listen(stage);
	if (stage->phase == STAGE_LEAVING) {
		stage_leave(stage);
		return;
	}
	if (stage->phase != STAGE_RUNNING ||
		!step_is_for_shell(steps_current(stage)))
		return;
	count_usage(stage, &stage->shell, stage->run.cpu_before_us);
	steps_end(stage, stage->shell.status, stage->shell.is_signal);
}

static void end_exec(struct stage *stage)
{
	if (stage->phase != STAGE_RUNNING)
		return;
	count_usage(stage, &stage->exec, 0);
	steps_end(stage, stage->exec.status, stage->exec.is_signal);
}

bool stage_reap(struct stage *stage, pid_t pid, int wait_status,
	const struct rusage *usage)
{
	struct child *child;

	if (child_is_alive(&stage->shell) && pid == stage->shell.pid)
		child = &stage->shell;
	else if (child_is_alive(&stage->exec) && pid == stage->exec.pid)
		child = &stage->exec;
	else
		return false;

	/* How it started is there to be read: it has no other end any more. */
	settle(stage, child);
	child_end(child, wait_status, usage);
	stage->stop.check_at_us = 0;
	if (child == &stage->shell)
		end_shell(stage);
	else
		end_exec(stage);
	return true;
}

void stage_sample(struct stage *stage, struct procs *procs)
{
	int64_t *max = &stage->run.max_rss_bytes;

	output_tend(&stage->output);
	procs_mark(procs, stage->sessions, stage->session_count, NULL);
	for (size_t i = 0; i < procs->count; i++)
		if (procs->items[i].is_member)
			*max = max_i64(*max, procs->items[i].rss_bytes);
}

/* Output goes out while there is a step that it belongs to. */
static bool takes_output(const struct stage *stage)
{
	return stage->phase == STAGE_RUNNING || stage->phase == STAGE_LEAVING;
}

void stage_poll(struct stage *stage, struct poller *poller)
{
	bool is_ready = wire_is_ready(stage->wire);

	output_poll(&stage->output, poller, takes_output(stage) && is_ready);
	if (stage->phase == STAGE_DRAINING && is_ready)
		poller_wake_at(poller, 1);
	stage->control.slot = stage->phase == STAGE_RUNNING
		? poller_add(poller, stage->control.fd, POLLIN)
		: POLLER_NO_SLOT;
	input_poll(&stage->input, poller);
	stage->shell.report_slot =
		poller_add(poller, stage->shell.report, POLLIN);
	stage->exec.report_slot =
		poller_add(poller, stage->exec.report, POLLIN);
	if (stage->stop.is_stopping)
		poller_wake_at(poller, stage->stop.check_at_us);
}

void stage_work(struct stage *stage, const struct poller *poller)
{
	if (poller_is_ready(poller, stage->shell.report_slot))
		settle(stage, &stage->shell);
	if (poller_is_ready(poller, stage->exec.report_slot))
		settle(stage, &stage->exec);
	if (poller_is_ready(poller, stage->control.slot))
		steps_listen(stage);
	if (stage->stop.is_stopping) {
		stop_work(stage);
		stage_leave(stage);
	}
	input_work(&stage->input, poller, stage->wire, stage->number);
	if (takes_output(stage))
		output_pump(&stage->output, poller, stage->wire);
	while (stage->phase == STAGE_DRAINING && wire_is_ready(stage->wire))
		if (output_drain(&stage->output, stage->wire))
			steps_finish(stage);
}

static bool find_user(struct stage *stage)
{
	const char *user = stage->spec.user;

	if (!user)
		return true;
	return stage->spec.is_host_user
		? user_find_host("/etc", user, &stage->user)
		: user_find("/etc", user, &stage->user);
}

/* Where its output goes to, and its input comes from. */
static bool open_streams(struct stage *stage)
{
	const struct stage_spec *spec = &stage->spec;

	if (!output_open(&stage->output, spec->has_tty, spec->has_input,
		    stage->user.uid))
		return false;
	if (spec->columns > 0 && spec->rows > 0)
		output_resize(&stage->output, spec->columns, spec->rows);
	if (spec->has_input && !spec->has_tty)
		return input_open_pipe(&stage->input, stage->user.uid);
	if (spec->has_input)
		input_open_terminal(
			&stage->input, output_terminal(&stage->output));
	return true;
}

static bool prepare(struct stage *stage, char **own)
{
	char text[512];

	if (!find_user(stage)) {
		(void)snprintf(text, sizeof(text),
			"user '%s': not in the image", stage->spec.user);
		stage_finish(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_USER);
		return false;
	}
	if (!open_streams(stage)) {
		stage_fail(stage,
			stage->spec.has_tty ? "make a terminal"
					    : "make a pipe");
		return false;
	}
	stage->environment = environment_make(own, stage->spec.environment,
		stage->spec.user ? &stage->user : NULL, stage->spec.has_tty,
		stage->home);
	return true;
}

struct stage *stage_new(uint16_t number, const struct stage_spec *spec,
	uint8_t **payload, struct wire *wire, char **own)
{
	struct stage *stage = mem_new(sizeof(*stage));

	*stage = (struct stage){ .number = number,
		.wire = wire,
		.spec = *spec,
		.payload = *payload };
	*payload = NULL;
	control_init(&stage->control);
	output_init(&stage->output, number);
	input_init(&stage->input);
	child_init(&stage->shell);
	child_init(&stage->exec);
	if (prepare(stage, own))
		steps_begin(stage);
	return stage;
}

bool stage_feed(struct stage *stage, const uint8_t *data, size_t len)
{
	return input_feed(&stage->input, data, len);
}

void stage_resize(struct stage *stage, uint16_t columns, uint16_t rows)
{
	output_resize(&stage->output, columns, rows);
}

void stage_abandon(struct stage *stage, struct leftovers *leftovers)
{
	output_end(&stage->output);
	output_leave(&stage->output, leftovers);
	stage_free(stage);
}

void stage_free(struct stage *stage)
{
	input_close(&stage->input);
	output_close(&stage->output);
	control_close(&stage->control);
	child_done(&stage->shell);
	child_done(&stage->exec);
	procs_done(&stage->stop.members);
	stage_spec_done(&stage->spec);
	free(stage->payload);
	free(stage->environment);
	free(stage->sessions);
	free(stage);
}
