/* SPDX-License-Identifier: MIT */
#include "init/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/mem.h"

enum {
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	/* What a stage says that was stopped between two steps. */
	STATUS_STOPPED = 128 + SIGTERM,
};

static int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static const struct step_spec *current(const struct stage *stage)
{
	return &stage->spec.steps[stage->step];
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* The end of the stage: `failure` where it could not be run, else NULL. */
static void finish_stage(struct stage *stage, int status, const char *failure,
	enum br_failure_kind kind)
{
	struct fields fields = { .len = 0 };

	fields_add_number(&fields, BR_TAG_STATUS, (uint64_t)status);
	if (failure) {
		fields_add_text(&fields, BR_TAG_FAILURE, failure);
		fields_add_number(&fields, BR_TAG_FAILURE_KIND, kind);
	}
	wire_send(stage->wire, BR_FRAME_STAGE_FINISHED, stage->number,
		fields.data, fields.len);
	stage->phase = STAGE_OVER;
	/* A shell that waits for an answer reads the end, and leaves. */
	close_fd(&stage->control);
	if (failure && child_is_alive(&stage->shell))
		(void)kill(stage->shell.pid, SIGKILL);
	for (size_t i = 0; i < STAGE_STREAMS; i++)
		close_fd(&stage->pipes[i].write_fd);
}

static void fail_system(struct stage *stage, const char *what)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	finish_stage(stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_SYSTEM);
}

/* A step begins: what it uses counts from here. */
static void begin_run(struct stage *stage)
{
	struct fields fields = { .len = 0 };
	struct proc shell;
	bool is_old_shell = step_is_for_shell(current(stage)) &&
		stage->is_shell_waiting && proc_read(stage->shell.pid, &shell);

	stage->run = (struct step_run){
		.start_us = clock_now_us(),
		.cpu_before_us = is_old_shell ? shell.cpu_us : 0,
		.oom_kills_before = oom_kill_count(),
	};
	stage->phase = STAGE_RUNNING;
	fields_add_number(&fields, BR_TAG_STEP_NUMBER, stage->step + 1);
	wire_send(stage->wire, BR_FRAME_STEP_STARTED, stage->number,
		fields.data, fields.len);
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
	spawn->out = stage->pipes[STREAM_OUT].write_fd;
	spawn->err = stage->pipes[STREAM_ERR].write_fd;
	if (!child_start(child, spawn)) {
		fail_system(stage, "start a process");
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
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		fail_system(stage, "make a socket");
		return;
	}
	stage->control = ends[0];

	int script = -1;
	/* A control that blocks would hold up all stages. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		fail_system(stage, "make a socket");
	else if (!make_script(stage, &script))
		fail_system(stage, "make a file of the script");
	else
		start_process(stage, &stage->shell,
			&(struct spawn){ .argv = stage->spec.shell,
				.control = ends[1],
				.script = script });
	(void)close(ends[1]);
	close_fd(&script);
}

static void answer_shell(const struct stage *stage)
{
	ssize_t n;

	do
		n = write(stage->control, "\n", 1);
	while (n < 0 && errno == EINTR);
	/* One that is gone needs none; any other would wait for ever. */
	if (n < 0 && errno != EPIPE)
		stage->wire->is_closed = true;
}

/* Begin the step that the stage is at now. */
static void begin_step(struct stage *stage)
{
	if (stage->step == stage->spec.step_count) {
		finish_stage(stage, 0, NULL, 0);
	} else if (!step_is_for_shell(current(stage))) {
		start_process(stage, &stage->exec,
			&(struct spawn){ .argv = current(stage)->argv,
				.port = current(stage)->port,
				.is_local = current(stage)->is_local,
				.control = -1,
				.script = -1,
				.is_step = true });
	} else if (stage->shell.pid == 0) {
		start_shell(stage);
	} else if (child_is_alive(&stage->shell) && stage->is_shell_waiting) {
		begin_run(stage);
		stage->is_shell_waiting = false;
		answer_shell(stage);
	} else {
		finish_stage(stage, stage->shell.status, NULL, 0);
	}
}

/* `exit 0` ends a stage as well; only a shell that finished goes on. */
static bool goes_on(const struct stage *stage)
{
	if (stage->run.status != 0 || stage->stop.is_stopping)
		return false;
	return !step_is_for_shell(current(stage)) ||
		child_is_alive(&stage->shell) || stage->has_shell_finished ||
		stage->is_shell_waiting;
}

static void report_step(const struct stage *stage)
{
	const struct step_run *run = &stage->run;
	struct fields fields = { .len = 0 };
	/* -1 where it could not be read. */
	bool is_oom = run->status != 0 && run->oom_kills_before >= 0 &&
		oom_kill_count() > run->oom_kills_before;

	fields_add_number(&fields, BR_TAG_STEP_NUMBER, stage->step + 1);
	fields_add_number(&fields, BR_TAG_STATUS, (uint64_t)run->status);
	fields_add_number(&fields, BR_TAG_WALL_US,
		(uint64_t)max_i64(0, run->end_us - run->start_us));
	fields_add_number(
		&fields, BR_TAG_CPU_US, (uint64_t)max_i64(0, run->cpu_us));
	fields_add_number(&fields, BR_TAG_MAX_RSS,
		(uint64_t)max_i64(0, run->max_rss_bytes));
	if (is_oom)
		fields_add_number(&fields, BR_TAG_IS_OOM, 1);
	if (run->is_signal)
		fields_add_number(&fields, BR_TAG_IS_SIGNAL, 1);
	wire_send(stage->wire, BR_FRAME_STEP_FINISHED, stage->number,
		fields.data, fields.len);
}

/* All output of the step is on its way: report it and go on. */
static void finish_step(struct stage *stage)
{
	int status = stage->run.status;

	report_step(stage);
	if (goes_on(stage)) {
		stage->step++;
		begin_step(stage);
		return;
	}
	if (status == 0 && stage->stop.is_stopping &&
		stage->step + 1 < stage->spec.step_count)
		status = STATUS_STOPPED;
	finish_stage(stage, status, NULL, 0);
}

void stage_leave(struct stage *stage)
{
	if (stage->phase != STAGE_LEAVING)
		return;
	if (stage->run.status != 0 || stage->stop.is_stopping) {
		close_fd(&stage->control);
		if (child_is_alive(&stage->shell))
			return;
	}
	if (!stop_is_done(stage))
		return;
	for (size_t i = 0; i < STAGE_STREAMS; i++)
		outpipe_begin_drain(&stage->pipes[i], stage->wire);
	stage->phase = STAGE_DRAINING;
}

/* A step's process has ended, or the shell says that the step has. */
static void end_run(struct stage *stage, int status, bool is_signal)
{
	stage->run.status = status;
	stage->run.is_signal = is_signal;
	stage->run.end_us = clock_now_us();
	stage->phase = STAGE_LEAVING;
	stage_leave(stage);
}

/* The shell waits to begin step `number`; so the one before it is over. */
static void take_announcement(struct stage *stage, unsigned long number)
{
	size_t next = number - 1;
	struct proc shell;

	if (number == 0) {
		stage->has_shell_finished = true;
		return;
	}
	if (stage->phase != STAGE_RUNNING ||
		!step_is_for_shell(current(stage)) ||
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
		stage->run.max_rss_bytes =
			max_i64(stage->run.max_rss_bytes, shell.rss_bytes);
	}
	end_run(stage, 0, false);
}

static void take_byte(struct stage *stage, char byte)
{
	if (byte != '\n') {
		if (stage->line_len + 1 < sizeof(stage->line))
			stage->line[stage->line_len++] = byte;
		return;
	}
	stage->line[stage->line_len] = '\0';
	stage->line_len = 0;
	take_announcement(stage, strtoul(stage->line, NULL, 10));
}

/* Read what the shell announces. */
static void read_control(struct stage *stage)
{
	char data[256];
	ssize_t n;

	while (stage->control >= 0) {
		n = read(stage->control, data, sizeof(data));
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n && stage->control >= 0; i++)
			take_byte(stage, data[i]);
	}
}

static void fail_start(struct stage *stage, const struct child *child)
{
	char text[512];
	const char *why = strerror(child->failure.error);

	switch (child->failure.stage) {
	case SPAWN_USER:
		(void)snprintf(text, sizeof(text), "user '%s': %s",
			stage->spec.user, why);
		finish_stage(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_USER);
		return;
	case SPAWN_WORKDIR:
		(void)snprintf(text, sizeof(text), "workdir '%s': %s",
			stage->spec.workdir, why);
		finish_stage(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_WORKDIR);
		return;
	case SPAWN_SYSTEM:
		(void)snprintf(text, sizeof(text), "start a process: %s", why);
		finish_stage(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_SYSTEM);
		return;
	case SPAWN_EXEC:
		break;
	}
	(void)snprintf(text, sizeof(text), "shell '%s': %s",
		stage->spec.shell[0], why);
	if (child->failure.error == ENOENT)
		finish_stage(
			stage, STATUS_NOT_FOUND, text, BR_FAILURE_NO_SHELL);
	else
		finish_stage(
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
		begin_run(stage);
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
	read_control(stage);
	if (stage->phase == STAGE_LEAVING) {
		stage_leave(stage);
		return;
	}
	if (stage->phase != STAGE_RUNNING || !step_is_for_shell(current(stage)))
		return;
	count_usage(stage, &stage->shell, stage->run.cpu_before_us);
	end_run(stage, stage->shell.status, stage->shell.is_signal);
}

static void end_exec(struct stage *stage)
{
	if (stage->phase != STAGE_RUNNING)
		return;
	count_usage(stage, &stage->exec, 0);
	end_run(stage, stage->exec.status, stage->exec.is_signal);
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

	for (size_t i = 0; i < STAGE_STREAMS; i++) {
		stage->pipes[i].slot = POLLER_NO_SLOT;
		if (takes_output(stage) && is_ready)
			outpipe_poll(&stage->pipes[i], poller);
	}
	if (stage->phase == STAGE_DRAINING && is_ready)
		poller_wake_at(poller, 1);
	stage->control_slot = stage->phase == STAGE_RUNNING
		? poller_add(poller, stage->control, POLLIN)
		: POLLER_NO_SLOT;
	stage->shell.report_slot =
		poller_add(poller, stage->shell.report, POLLIN);
	stage->exec.report_slot =
		poller_add(poller, stage->exec.report, POLLIN);
	if (stage->stop.is_stopping)
		poller_wake_at(poller, stage->stop.check_at_us);
}

static void drain(struct stage *stage)
{
	bool is_drained = true;

	for (size_t i = 0; i < STAGE_STREAMS; i++)
		is_drained = outpipe_drain(&stage->pipes[i], stage->wire,
				     stage->number, (uint8_t)i) &&
			is_drained;
	if (is_drained)
		finish_step(stage);
}

void stage_work(struct stage *stage, const struct poller *poller)
{
	if (poller_is_ready(poller, stage->shell.report_slot))
		settle(stage, &stage->shell);
	if (poller_is_ready(poller, stage->exec.report_slot))
		settle(stage, &stage->exec);
	if (poller_is_ready(poller, stage->control_slot))
		read_control(stage);
	if (stage->stop.is_stopping) {
		stop_work(stage);
		stage_leave(stage);
	}
	for (size_t i = 0; i < STAGE_STREAMS; i++)
		if (takes_output(stage))
			outpipe_pump(&stage->pipes[i], poller, stage->wire,
				stage->number, (uint8_t)i);
	while (stage->phase == STAGE_DRAINING && wire_is_ready(stage->wire))
		drain(stage);
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

static bool prepare(struct stage *stage, char **own)
{
	char text[512];

	if (!find_user(stage)) {
		(void)snprintf(text, sizeof(text),
			"user '%s': not in the image", stage->spec.user);
		finish_stage(
			stage, STATUS_NOT_EXECUTABLE, text, BR_FAILURE_USER);
		return false;
	}
	for (size_t i = 0; i < STAGE_STREAMS; i++) {
		if (!outpipe_open(&stage->pipes[i])) {
			fail_system(stage, "make a pipe");
			return false;
		}
	}
	stage->environment = environment_make(own, stage->spec.environment,
		stage->spec.user ? &stage->user : NULL, stage->home);
	return true;
}

struct stage *stage_new(uint16_t number, const struct stage_spec *spec,
	uint8_t **payload, struct wire *wire, char **own)
{
	struct stage *stage = mem_new(sizeof(*stage));

	*stage = (struct stage){ .number = number,
		.wire = wire,
		.spec = *spec,
		.payload = *payload,
		.control = -1,
		.control_slot = POLLER_NO_SLOT };
	*payload = NULL;
	for (size_t i = 0; i < STAGE_STREAMS; i++)
		stage->pipes[i] = (struct outpipe){
			.read_fd = -1, .write_fd = -1, .slot = POLLER_NO_SLOT
		};
	child_init(&stage->shell);
	child_init(&stage->exec);
	if (prepare(stage, own))
		begin_step(stage);
	return stage;
}

void stage_free(struct stage *stage)
{
	for (size_t i = 0; i < STAGE_STREAMS; i++)
		outpipe_close(&stage->pipes[i]);
	close_fd(&stage->control);
	child_done(&stage->shell);
	child_done(&stage->exec);
	procs_done(&stage->stop.members);
	stage_spec_done(&stage->spec);
	free(stage->payload);
	free(stage->environment);
	free(stage->sessions);
	free(stage);
}
