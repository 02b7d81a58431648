/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "base/program.h"

/* /proc files say size 0 and are short. */
enum { PROC_MAX_BYTES = 4096 };

static bool read_proc(const char *path, struct br_buf *text, struct br_err *err)
{
	return br_file_load(path, PROC_MAX_BYTES, text, err);
}

/*
 * Fields 3, the state, and 22, the start, of /proc/<pid>/stat. The second field is
 * the program's name in parentheses and may hold anything, so fields count from the
 * last ')'.
 */
static bool read_stat(
	pid_t pid, char *process_state, uint64_t *ticks, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_proc(path, &text, err))
		return false;

	const char *name_end = strrchr(br_buf_text(&text), ')');
	const char *at = name_end;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');

	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	if (!at || sscanf(at, " %" SCNu64, ticks) != 1)
		return br_fail(err, BR_ESYSTEM,
			"read '%s': not as proc(5) has it", path);
	*process_state = name_end[2];
	return true;
}

bool br_process_self(struct br_process_id *id, struct br_err *err)
{
	struct br_process_id found = { .pid = getpid() };
	br_autobuf struct br_buf boot = { 0 };
	struct stat namespace_file;
	char process_state = '\0';

	if (!read_proc("/proc/sys/kernel/random/boot_id", &boot, err))
		return false;
	(void)snprintf(
		found.boot, sizeof(found.boot), "%.36s", br_buf_text(&boot));
	if (stat("/proc/self/ns/pid", &namespace_file) < 0)
		return br_fail_errno(err, "read '/proc/self/ns/pid'");
	found.pid_namespace = namespace_file.st_ino;
	if (!read_stat(found.pid, &process_state, &found.start_ticks, err))
		return false;
	*id = found;
	return true;
}

void br_process_id_format(
	const struct br_process_id *id, char text[BR_PROCESS_ID_TEXT_BYTES])
{
	(void)snprintf(text, BR_PROCESS_ID_TEXT_BYTES,
		"%s/%" PRIu64 "/%d/%" PRIu64, id->boot, id->pid_namespace,
		(int)id->pid, id->start_ticks);
}

bool br_process_id_parse(
	const char *text, struct br_process_id *id, struct br_err *err)
{
	struct br_process_id parsed = { 0 };
	char again[BR_PROCESS_ID_TEXT_BYTES];

	/* NOLINTNEXTLINE(cert-err34-c): the format is checked by round trip */
	bool is_good = sscanf(text, "%36[^/]/%" SCNu64 "/%d/%" SCNu64,
			       parsed.boot, &parsed.pid_namespace, &parsed.pid,
			       &parsed.start_ticks) == 4 &&
		parsed.pid > 0;
	br_process_id_format(&parsed, again);
	if (!is_good || strcmp(again, text) != 0)
		return br_fail(err, BR_EINPUT, "'%s' names no process", text);
	*id = parsed;
	return true;
}

bool br_process_is_gone(
	const struct br_process_id *id, const struct br_process_id *self)
{
	uint64_t ticks = 0;
	char process_state = '\0';
	struct br_err err = { 0 };

	if (strcmp(id->boot, self->boot) != 0 ||
		id->pid_namespace != self->pid_namespace)
		return false;
	/* A zombie has ended; only its parent has not looked yet. */
	if (read_stat(id->pid, &process_state, &ticks, &err))
		return ticks != id->start_ticks || process_state == 'Z' ||
			process_state == 'X';
	return err.code == BR_ENOTFOUND;
}

bool br_process_run_within(const char *const *argv, const char *input,
	const struct br_process_limits *limits, struct br_buf *output,
	struct br_process_result *result, struct br_err *err)
{
	const struct br_program program = { .argv = argv, .input = input };

	return br_program_run(&program, limits, output, &result->status, err);
}

bool br_process_run(const char *const *argv, const char *input,
	int64_t timeout_ms, size_t max_bytes, struct br_buf *output,
	struct br_process_result *result, struct br_err *err)
{
	const struct br_process_limits limits = {
		.timeout_ms = timeout_ms,
		.max_bytes = max_bytes,
		.cancel_fd = -1,
	};

	return br_process_run_within(argv, input, &limits, output, result, err);
}
