/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/support/folder.h"

static bool step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	struct peer *peer = ctx;

	(void)err;
	br_buf_addf(&peer->log, "<%u.%u", stage, step);
	return true;
}

/* In a test that counts, byte N of the output is the low byte of N. */
static void count(struct peer *peer, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)data[i] != (uint8_t)(peer->output_bytes + i))
			peer->wrong_bytes++;
	peer->output_bytes += len;
}

static bool output(void *ctx, unsigned stage, enum br_output_stream stream,
	const char *data, size_t len, struct br_err *err)
{
	struct peer *peer = ctx;

	(void)stage;
	(void)err;
	if (peer->is_counting) {
		count(peer, data, len);
		return true;
	}
	if (stream == BR_OUTPUT_STDERR)
		br_buf_add_char(&peer->log, '!');
	br_buf_add(&peer->log, data, len);
	return true;
}

static bool step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	struct peer *peer = ctx;

	(void)err;
	peer->report = *report;
	br_buf_addf(
		&peer->log, ">%u.%u=%d", stage, report->step, report->status);
	return true;
}

static bool stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct peer *peer = ctx;

	(void)err;
	br_buf_addf(&peer->log, "#%u=%d", stage, report->status);
	if (report->failure)
		br_buf_addf(&peer->log, "(%d: %s)", (int)report->failure_kind,
			report->failure);
	peer->over_count++;
	return true;
}

/* The child: PID 1 of its own namespace, with a /proc that shows it. */
static void become_init(const char *const *argv, int wire)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to take const off. */
	char *const *args = (char *const *)(uintptr_t)argv;

	if (wire >= 0 &&
		(dup2(wire, STDIN_FILENO) < 0 || dup2(wire, STDOUT_FILENO) < 0))
		_exit(99);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("proc", "/proc", "proc", 0, NULL) < 0)
		_exit(98);
	/* Root in a container may not look into other processes either. */
	(void)prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE);
	(void)execv(argv[0], args);
	_exit(97);
}

/* Hold the namespace and pass on how init ended. */
static void hold_namespace(const char *const *argv, int wire)
{
	int status = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		_exit(96);
	pid_t pid = fork();
	if (pid == 0)
		become_init(argv, wire);
	if (wire >= 0)
		(void)close(wire);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 95);
}

static void spawn(struct peer *peer, const char *const *argv, int wire)
{
	peer->pid = fork();
	assert_true(peer->pid >= 0);
	if (peer->pid == 0)
		hold_namespace(argv, wire);
}

static int connect_by_socket(struct peer *peer, const char *program)
{
	struct br_private shared;
	struct br_err err = { 0 };
	br_autofree char *folder = br_path_join(peer->folder, "private");
	br_autofree char *wire_path = br_path_join(folder, "wire");
	br_autofree char *init_path = br_path_join(folder, "init");

	if (!br_private_open(folder, program, &shared, &err))
		fail_msg("%s", err.text);
	spawn(peer,
		(const char *const[]){ init_path, "socket", wire_path, NULL },
		-1);
	struct pollfd wait = { .fd = shared.listen_fd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PEER_PATIENCE_MS), 1);
	int fd = accept4(shared.listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	br_private_close(&shared);
	assert_int_equal(access(folder, F_OK), -1);
	return fd;
}

static int connect_by_stdio(struct peer *peer, const char *program)
{
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	spawn(peer, (const char *const[]){ program, "stdio", NULL }, ends[1]);
	(void)close(ends[1]);
	return ends[0];
}

void peer_open(struct peer *peer, const struct peer_options *options)
{
	const struct br_session_handlers handlers = {
		.ctx = peer,
		.step_started = step_started,
		.output = output,
		.step_finished = step_finished,
		.stage_finished = stage_finished,
	};
	const struct br_session_setup setup = {
		.give_back_path = options->give_back_path,
		.uid = options->uid,
		.gid = options->gid,
	};
	struct br_err err = { 0 };
	br_autofree char *program = NULL;

	*peer = (struct peer){ .folder = folder_make() };
	assert_int_equal(chmod(peer->folder, 0755), 0);
	if (!br_private_find_init(&program, &err))
		fail_msg("%s", err.text);
	int fd = options->is_stdio ? connect_by_stdio(peer, program)
				   : connect_by_socket(peer, program);
	if (!br_session_open(fd, NULL, &setup, &handlers, &peer->session, &err))
		fail_msg("%s", err.text);
}

static int wait_for_end(struct peer *peer)
{
	int status = 0;

	while (waitpid(peer->pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void clean_up(struct peer *peer)
{
	br_session_free(peer->session);
	br_buf_done(&peer->log);
	folder_remove(peer->folder);
}

static void work_once(struct peer *peer, int64_t deadline_ms)
{
	struct pollfd wait = { .fd = br_session_fd(peer->session),
		.events = br_session_poll_events(peer->session) };
	struct br_err err = { 0 };
	int64_t left_ms = deadline_ms - br_clock_now_ms();

	if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) < 0)
		fail_msg("not in time; so far: %s", br_buf_text(&peer->log));
	if (!br_session_pump(peer->session, &err))
		fail_msg("%s; so far: %s", err.text, br_buf_text(&peer->log));
}

static void wait_until_ended(struct peer *peer)
{
	int64_t deadline_ms = br_clock_now_ms() + PEER_PATIENCE_MS;

	while (!br_session_has_ended(peer->session))
		work_once(peer, deadline_ms);
	assert_int_equal(wait_for_end(peer), 0);
	clean_up(peer);
}

void peer_close(struct peer *peer)
{
	br_session_end(peer->session);
	wait_until_ended(peer);
}

void peer_leave(struct peer *peer)
{
	br_session_leave(peer->session);
	wait_until_ended(peer);
}

/* The child of the process that we know. */
static pid_t find_init(const struct peer *peer)
{
	enum { PROC_MAX_BYTES = 64 * 1024 };
	br_autobuf struct br_buf children = { 0 };
	struct br_err err = { 0 };
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
		(int)peer->pid, (int)peer->pid);
	if (!br_file_load(path, PROC_MAX_BYTES, &children, &err))
		fail_msg("%s", err.text);
	return (pid_t)strtol(br_buf_text(&children), NULL, 10);
}

void peer_keep(
	struct peer *peer, const char *go, const char *come, const char *answer)
{
	int64_t deadline_ms = br_clock_now_ms() + PEER_PATIENCE_MS;
	br_autofree char *go_path = br_path_join(peer->folder, go);
	br_autofree char *come_path = br_path_join(peer->folder, come);
	char text[64] = { 0 };

	br_session_keep(peer->session);
	while (!br_session_has_ended(peer->session))
		work_once(peer, deadline_ms);
	br_session_free(peer->session);
	peer->session = NULL;

	FILE *file = fopen(go_path, "w");
	assert_non_null(file);
	assert_true(fputs("\n", file) >= 0);
	(void)fclose(file);
	file = fopen(come_path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	assert_string_equal(text, answer);
	assert_int_equal(kill(find_init(peer), SIGTERM), 0);
	assert_int_equal(wait_for_end(peer), 0);
	clean_up(peer);
}

void peer_hang_up(struct peer *peer)
{
	br_session_free(peer->session);
	peer->session = NULL;
	assert_int_equal(wait_for_end(peer), 1);
	clean_up(peer);
}

void peer_start_stage(
	struct peer *peer, unsigned stage, struct br_session_stage what)
{
	static const char *const shell[] = { "/bin/sh", NULL };

	if (!what.shell)
		what.shell = shell;
	if (!what.workdir)
		what.workdir = peer->folder;
	br_session_start(peer->session, stage, &what);
}

void peer_start(struct peer *peer, unsigned stage, const char *const *steps)
{
	struct br_session_step list[32] = { { 0 } };
	size_t step_count = 0;

	while (steps[step_count]) {
		assert_true(step_count < sizeof(list) / sizeof(list[0]));
		list[step_count].text = steps[step_count];
		step_count++;
	}
	peer_start_stage(peer, stage,
		(struct br_session_stage){
			.steps = list, .step_count = step_count });
}

void peer_work(struct peer *peer)
{
	work_once(peer, br_clock_now_ms() + PEER_PATIENCE_MS);
}

void peer_run_until_over(struct peer *peer, size_t count_over)
{
	int64_t deadline_ms = br_clock_now_ms() + PEER_PATIENCE_MS;

	while (peer->over_count < count_over)
		work_once(peer, deadline_ms);
}

void peer_run_until_seen(struct peer *peer, const char *text)
{
	int64_t deadline_ms = br_clock_now_ms() + PEER_PATIENCE_MS;

	while (!strstr(br_buf_text(&peer->log), text))
		work_once(peer, deadline_ms);
}

void peer_expect(
	struct peer *peer, const char *const *steps, const char *expected)
{
	peer_start(peer, 1, steps);
	peer_run_until_over(peer, 1);
	assert_string_equal(br_buf_text(&peer->log), expected);
}

long peer_init_peak_kib(const struct peer *peer)
{
	enum { PROC_MAX_BYTES = 64 * 1024 };
	br_autobuf struct br_buf status = { 0 };
	struct br_err err = { 0 };
	char path[64];

	(void)snprintf(
		path, sizeof(path), "/proc/%ld/status", (long)find_init(peer));
	if (!br_file_load(path, PROC_MAX_BYTES, &status, &err))
		fail_msg("%s", err.text);
	const char *peak = strstr(br_buf_text(&status), "VmHWM:");
	assert_non_null(peak);
	return strtol(peak + strlen("VmHWM:"), NULL, 10);
}
