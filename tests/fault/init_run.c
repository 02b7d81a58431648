/* SPDX-License-Identifier: MIT */
/*
 * init_run - runs a small build in a buildr-init that something else has a hand in.
 *
 *	init_run FOLDER COMMAND…
 *
 * COMMAND becomes, sooner or later, `buildr-init stdio`; it may be strace, which
 * spoils a system call of it. The output of the steps, which work in FOLDER and leave
 * a file there, goes to stdout, and what went wrong to stderr. Exit status as buildr
 * has it: 0, 1 where a stage failed, 3 where init was lost; and what never may be: 90
 * where init did not end, 91 where it died of a signal, 92 where a process is left.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "session/script.h"
#include "session/session.h"

enum {
	PATIENCE_MS = 30 * 1000,
	STAGES = 3,
	FILES_UID = 1000,
	STATUS_FAIL = 1,
	STATUS_LOST = 3,
	STATUS_HUNG = 90,
	STATUS_SIGNAL = 91,
	STATUS_LEFT = 92,
};

struct run {
	struct br_session *session;
	/* One after the other, for they run at once. */
	struct br_buf outputs[STAGES];
	unsigned over_count;
	bool has_failed;
};

static bool on_step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	(void)ctx;
	(void)stage;
	(void)step;
	(void)err;
	return true;
}

static bool on_output(void *ctx, unsigned stage, enum br_output_stream stream,
	const char *data, size_t len, struct br_err *err)
{
	struct run *run = ctx;

	(void)stream;
	(void)err;
	br_buf_add(&run->outputs[stage - 1], data, len);
	return true;
}

static bool on_step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	(void)ctx;
	(void)stage;
	(void)report;
	(void)err;
	return true;
}

static bool on_stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct run *run = ctx;

	(void)err;
	run->over_count++;
	if (report->status == 0 && !report->failure)
		return true;
	run->has_failed = true;
	(void)fprintf(stderr, "stage %u: status %d %s\n", stage, report->status,
		report->failure ? report->failure : "");
	return true;
}

/* A script of this is too long for an argument, and goes through a file. */
static char *make_long_step(void)
{
	enum { COMMENT_BYTES = BR_SCRIPT_ARG_MAX_BYTES };
	br_autobuf struct br_buf text = { 0 };

	br_buf_add_text(&text, ": '");
	memset(br_buf_room(&text, COMMENT_BYTES), 'x', COMMENT_BYTES);
	br_buf_grew(&text, COMMENT_BYTES);
	br_buf_add_text(&text, "'; echo long; : >made; seq 1 60000");
	return br_buf_take(&text);
}

static void start_stages(struct run *run, const char *folder)
{
	static const char *const shell[] = { "/bin/sh", NULL };
	static const char *const argv[] = { "/bin/sh", "-c", "echo second >&2",
		NULL };
	br_autofree char *long_step = make_long_step();
	const struct br_session_step first[] = {
		{ .text = "echo first" },
		{ .argv = argv },
		{ .text = "echo third" },
	};
	const struct br_session_step other[] = { { .text = long_step } };
	const struct br_session_step at_terminal[] = {
		{ .text = "echo fourth; cat" },
		{ .argv = argv },
	};
	const struct br_session_stage stages[STAGES] = {
		{ .steps = first,
			.step_count = sizeof(first) / sizeof(first[0]),
			.workdir = folder,
			.user = "1000:1000",
			.shell = shell },
		{ .steps = other,
			.step_count = 1,
			.workdir = folder,
			.shell = shell },
		{ .steps = at_terminal,
			.step_count = 2,
			.workdir = folder,
			.shell = shell,
			.has_tty = true },
	};

	for (unsigned i = 0; i < STAGES; i++)
		br_session_start(run->session, i + 1, &stages[i]);
}

/* Wait for init, and hear what it says. */
static bool go_on(const struct run *run, struct br_err *err)
{
	struct pollfd wait = { .fd = br_session_fd(run->session),
		.events = br_session_poll_events(run->session) };

	if (poll(&wait, 1, PATIENCE_MS) == 0)
		return br_fail(err, BR_ETIMEDOUT, "init says nothing");
	return br_session_pump(run->session, err);
}

static bool run_build(struct run *run, int fd, const char *folder,
	bool *is_hung, struct br_err *err)
{
	const struct br_session_handlers handlers = {
		.ctx = run,
		.step_started = on_step_started,
		.output = on_output,
		.step_finished = on_step_finished,
		.stage_finished = on_stage_finished,
	};
	const struct br_session_setup setup = {
		.give_back_path = folder,
		.uid = FILES_UID,
		.gid = FILES_UID,
	};
	bool is_good = br_session_open(
		fd, NULL, &setup, &handlers, &run->session, err);

	if (is_good)
		start_stages(run, folder);
	while (is_good && run->over_count < STAGES)
		is_good = go_on(run, err);
	if (is_good)
		br_session_end(run->session);
	while (is_good && !br_session_has_ended(run->session))
		is_good = go_on(run, err);
	*is_hung = !is_good && err->code == BR_ETIMEDOUT;
	br_session_free(run->session);
	return is_good;
}

/* Wait for the end of init, or of what runs it; gives its wait status. */
static bool wait_for_end(pid_t pid, int *status)
{
	int64_t deadline_ms = br_clock_now_ms() + PATIENCE_MS;

	while (br_clock_now_ms() < deadline_ms) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

static int judge(bool is_good, bool is_hung, pid_t pid, const struct run *run)
{
	int status = 0;

	if (is_hung || !wait_for_end(pid, &status))
		return STATUS_HUNG;
	if (WIFSIGNALED(status))
		return STATUS_SIGNAL;
	/* This is a subreaper: what init has left behind is a child now. */
	if (waitpid(-1, NULL, WNOHANG) == 0 || errno != ECHILD)
		return STATUS_LEFT;
	if (!is_good || WEXITSTATUS(status) != 0)
		return STATUS_LOST;
	return run->has_failed ? STATUS_FAIL : 0;
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	struct br_err err = { 0 };
	bool is_hung = false;
	int ends[2];

	if (argc < 3 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDIN_FILENO);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execv(argv[2], argv + 2);
		_exit(99);
	}
	(void)close(ends[1]);

	bool is_good = run_build(&run, ends[0], argv[1], &is_hung, &err);
	if (!is_good)
		(void)fprintf(stderr, "%s\n", err.text);
	for (size_t i = 0; i < STAGES; i++) {
		(void)fwrite(
			run.outputs[i].data, 1, run.outputs[i].len, stdout);
		br_buf_done(&run.outputs[i]);
	}
	return judge(is_good, is_hung, pid, &run);
}
