/* SPDX-License-Identifier: MIT */
#include "init/steps.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/fds.h"
#include "init/mem.h"
#include "init/report.h"

/* What a stage says that was stopped between two steps. */
enum { STATUS_STOPPED = 128 + SIGTERM };

void steps_run(struct stage *stage)
{
	struct proc shell;
	bool is_old_shell = step_is_for_shell(steps_current(stage)) &&
		stage->is_shell_waiting && proc_read(stage->shell.pid, &shell);

	stage->run = (struct step_run){
		.start_us = clock_now_us(),
		.cpu_before_us = is_old_shell ? shell.cpu_us : 0,
		.oom_kills_before = oom_kill_count(),
	};
	stage->phase = STAGE_RUNNING;
	report_step_started(stage);
}

static void add_session(struct stage *stage, pid_t session)
{
	stage->sessions = mem_grow(stage->sessions, stage->session_count,
		&stage->session_capacity, sizeof(*stage->sessions));
	stage->sessions[stage->session_count++] = session;
}

static void start_process(
	struct stage *stage, struct child *child, struct spawn *spawn)
{
	spawn->environment = stage->environment;
	spawn->workdir = stage->spec.workdir;
	spawn->user = stage->spec.user ? &stage->user : NULL;
	output_hand_on(&stage->output, child == &stage->shell, spawn);
	if (!child_start(child, spawn)) {
		stage_fail(stage, "start a process");
		return;
	}
	add_session(stage, child->pid);
	stage->phase = STAGE_STARTING;
}

/*
 * Make a file that holds the script; *fd is -1 where it is an argument. A part of a
 * script must never run.
 */
static bool make_script(const struct stage *stage, int *fd)
{
	*fd = -1;
	if (!stage->spec.script)
		return true;
	*fd = memfd_create("script", MFD_CLOEXEC);
	if (*fd < 0)
		return false;
	for (size_t done = 0; done < stage->spec.script_len;) {
		ssize_t n = write(*fd, stage->spec.script + done,
			stage->spec.script_len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void start_shell(struct stage *stage)
{
	int shell_end = -1;
	int script = -1;

	if (!control_open(&stage->control, &shell_end))
		stage_fail(stage, "make a socket");
	else if (!make_script(stage, &script))
		stage_fail(stage, "make a file of the script");
	else
		start_process(stage, &stage->shell,
			&(struct spawn){ .argv = stage->spec.shell,
				.in = -1,
				.control = shell_end,
				.script = script });
	fds_close(&shell_end);
	fds_close(&script);
}

static void start_program(struct stage *stage)
{
	const struct step_spec *step = steps_current(stage);

	start_process(stage, &stage->exec,
		&(struct spawn){ .argv = step->argv,
			.port = step->port,
			.is_local = step->is_local,
			.is_attended = stage->spec.has_input,
			.in = input_hand_on(&stage->input),
			.control = -1,
			.script = -1,
			.is_step = !stage->spec.has_input });
	input_forget(&stage->input);
}

static void answer_shell(const struct stage *stage)
{
	if (!control_answer(&stage->control))
		stage->wire->is_closed = true;
}

void steps_begin(struct stage *stage)
{
	if (stage->step == stage->spec.step_count) {
		stage_finish(stage, 0, NULL, 0);
	} else if (!step_is_for_shell(steps_current(stage))) {
		start_program(stage);
	} else if (stage->shell.pid == 0) {
		start_shell(stage);
	} else if (child_is_alive(&stage->shell) && stage->is_shell_waiting) {
		steps_run(stage);
		stage->is_shell_waiting = false;
		answer_shell(stage);
	} else {
		stage_finish(stage, stage->shell.status, NULL, 0);
	}
}

/* `exit 0` ends a stage as well; only a shell that finished goes on. */
static bool goes_on(const struct stage *stage)
{
	if (stage->run.status != 0 || stage->stop.is_stopping)
		return false;
	return !step_is_for_shell(steps_current(stage)) ||
		child_is_alive(&stage->shell) || stage->has_shell_finished ||
		stage->is_shell_waiting;
}

void steps_finish(struct stage *stage)
{
	int status = stage->run.status;

	report_step_finished(stage);
	if (goes_on(stage)) {
		stage->step++;
		steps_begin(stage);
		return;
	}
	if (status == 0 && stage->stop.is_stopping &&
		stage->step + 1 < stage->spec.step_count)
		status = STATUS_STOPPED;
	stage_finish(stage, status, NULL, 0);
}

void stage_leave(struct stage *stage)
{
	if (stage->phase != STAGE_LEAVING)
		return;
	if (stage->run.status != 0 || stage->stop.is_stopping) {
		control_close(&stage->control);
		if (child_is_alive(&stage->shell))
			return;
	}
	if (!stop_is_done(stage))
		return;
	output_begin_drain(&stage->output, stage->wire);
	stage->phase = STAGE_DRAINING;
}

void steps_end(struct stage *stage, int status, bool is_signal)
{
	stage->run.status = status;
	stage->run.is_signal = is_signal;
	stage->run.end_us = clock_now_us();
	stage->phase = STAGE_LEAVING;
	stage_leave(stage);
}

/* The shell waits to begin step `number`; so the one before it is over. */
static void take_announcement(void *ctx, unsigned long number)
{
	struct stage *stage = ctx;
	size_t next = number - 1;
	struct proc shell;

	if (number == 0) {
		stage->has_shell_finished = true;
		return;
	}
	if (stage->phase != STAGE_RUNNING ||
		!step_is_for_shell(steps_current(stage)) ||
		next >= stage->spec.step_count ||
		!step_is_for_shell(&stage->spec.steps[next]))
		return;
	if (next == stage->step) {
		answer_shell(stage);
		return;
	}
	if (next < stage->step || stage->is_shell_waiting)
		return;
	stage->is_shell_waiting = true;
	if (proc_read(stage->shell.pid, &shell)) {
		stage->run.cpu_us = shell.cpu_us - stage->run.cpu_before_us;
		if (shell.rss_bytes > stage->run.max_rss_bytes)
			stage->run.max_rss_bytes = shell.rss_bytes;
	}
	steps_end(stage, 0, false);
}

void steps_listen(struct stage *stage)
{
	control_read(&stage->control, take_announcement, stage);
}
