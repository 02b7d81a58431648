/* SPDX-License-Identifier: MIT */
#include "agent/check.h"

#include <string.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/backlog.h"
#include "base/clean.h"
#include "base/process.h"
#include "broker/broker.h"
#include "engine/docker.h"
#include "session/private.h"

enum {
	LOOK_MS = 10 * 1000,
	HEARTBEAT_SECONDS = 10,
	/* Of a work tree; file systems without a fixed number have 0 in all. */
	MIN_FREE_FILES = 1000,
};

/* Adds what was found to `found`. */
typedef bool check_fn(const struct agent_options *options, struct br_buf *found,
	struct br_err *err);

static bool advise(struct br_err *err, const char *remedy)
{
	const struct br_err cause = *err;

	return br_fail(err, cause.code, "%s; %s", cause.text, remedy);
}

static void nothing_lost(void *ctx, const struct br_err *why)
{
	(void)ctx;
	(void)why;
}

static bool check_broker(const struct agent_options *options,
	struct br_buf *found, struct br_err *err)
{
	br_auto(br_broker) struct br_broker *broker = NULL;
	const struct br_broker_handlers handlers = { .closed = nothing_lost };
	const struct br_broker_options where = {
		.url = options->broker,
		.ca_file = options->ca_file,
		.cert_file = options->cert_file,
		.key_file = options->key_file,
		.name = options->name,
		.heartbeat_seconds = HEARTBEAT_SECONDS,
		.timeout_ms = LOOK_MS,
	};

	if (!br_broker_open(&where, &handlers, &broker, err))
		return advise(err,
			err->code == BR_ENOTFOUND
				? "look at user, password and virtual host in "
				  "BUILDR_BROKER"
				: "look at --broker, and whether RabbitMQ "
				  "runs there");
	br_buf_addf(found, "%s, RabbitMQ %s", br_broker_show(broker),
		br_broker_version(broker));
	return true;
}

/* A descriptor that is readable when the time is over. */
static int start_timer(int64_t time_ms)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = time_ms / 1000,
			.tv_nsec = time_ms % 1000 * 1000000 },
	};
	br_autoclose int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &when, NULL) < 0)
		return -1;
	return br_take_fd(&fd);
}

static bool check_engine(const struct agent_options *options,
	struct br_buf *found, struct br_err *err)
{
	br_auto(br_engine) struct br_engine *engine = NULL;
	const struct br_docker_options where = { options->docker_sock };
	br_autoclose int timer = start_timer(LOOK_MS);
	struct br_engine_info info = { 0 };

	if (!br_docker_open(&where, &engine, err))
		return false;
	engine->cancel_fd = timer;
	if (!br_engine_describe(engine, &info, err))
		return err->code == BR_ECANCELED
			? br_fail(err, BR_ETIMEDOUT,
				  "the engine does not answer in %d s: start "
				  "it again",
				  LOOK_MS / 1000)
			: false;
	br_buf_addf(found, "%s, version %s, API %s", info.address, info.version,
		info.api_version);
	br_engine_info_done(&info);
	return true;
}

static bool check_init(const struct agent_options *options,
	struct br_buf *found, struct br_err *err)
{
	br_autofree char *path = NULL;

	(void)options;
	if (!br_private_find_init(&path, err))
		return false;
	br_buf_add_text(found, path);
	return true;
}

static bool check_git(const struct agent_options *options, struct br_buf *found,
	struct br_err *err)
{
	static const char *const command[] = { "git", "--version", NULL };
	struct br_process_result result = { 0 };

	(void)options;
	if (!br_process_run(command, "", LOOK_MS, 4096, found, &result, err))
		return br_wrap(err, "git --version");
	if (result.status != 0)
		return br_fail(err, BR_ENOTFOUND,
			"git is not there or does not run: install it, or "
			"look at PATH");
	return true;
}

static bool check_work_dir(const struct agent_options *options,
	struct br_buf *found, struct br_err *err)
{
	struct backlog backlog = { .fd = -1 };
	bool is_fit = backlog_open(options->work_dir, &backlog, err);

	backlog_close(&backlog);
	if (!is_fit)
		return advise(err,
			"make it and give it to this user, or look at "
			"--work-dir");
	br_buf_add_text(found, options->work_dir);
	return true;
}

static bool check_space(const struct agent_options *options,
	struct br_buf *found, struct br_err *err)
{
	enum { MIB = 1024 * 1024 };
	struct statvfs space;

	if (statvfs(options->work_dir, &space) < 0)
		return br_fail_errno(err, "space in '%s'", options->work_dir);

	int64_t free_bytes = (int64_t)(space.f_bavail * space.f_frsize);
	if (free_bytes < options->min_free_bytes)
		return br_fail(err, BR_ESYSTEM,
			"%lld MiB are free in '%s', and --min-free wants "
			"%lld: make room there",
			(long long)free_bytes / MIB, options->work_dir,
			(long long)options->min_free_bytes / MIB);
	if (space.f_files > 0 && space.f_favail < MIN_FREE_FILES)
		return br_fail(err, BR_ESYSTEM,
			"%lld more files fit into '%s': make room there",
			(long long)space.f_favail, options->work_dir);
	br_buf_addf(found, "%lld MiB are free in %s",
		(long long)free_bytes / MIB, options->work_dir);
	return true;
}

/* Who has come here has options that could be read. */
static bool check_options(const struct agent_options *options,
	struct br_buf *found, struct br_err *err)
{
	(void)err;
	br_buf_addf(found, "%s takes %u %s at once from %s", options->name,
		options->jobs, options->jobs == 1 ? "job" : "jobs",
		options->queue);
	for (size_t i = 0; i < options->labels.count; i++)
		br_buf_addf(found, "%s%s", i == 0 ? ", labels " : " ",
			options->labels.items[i]);
	return true;
}

static const struct row {
	const char *name;
	check_fn *check;
	/* Looked at again and again while the agent runs. */
	bool is_machine;
} rows[] = {
	{ "options", check_options, false },
	{ "broker", check_broker, false },
	{ "engine", check_engine, true },
	{ "init", check_init, true },
	{ "git", check_git, true },
	{ "work-dir", check_work_dir, true },
	{ "space", check_space, true },
};

bool check_all(const struct agent_options *options, struct br_buf *report)
{
	bool is_well = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		br_autobuf struct br_buf found = { 0 };
		struct br_err err = { 0 };
		bool is_ok = rows[i].check(options, &found, &err);
		const char *text = is_ok ? br_buf_text(&found) : err.text;

		br_buf_addf(report, "%-5s  %-8s  %.*s\n",
			is_ok ? "ok" : "WRONG", rows[i].name,
			(int)strcspn(text, "\n"), text);
		is_well = is_well && is_ok;
	}
	return is_well;
}

bool check_machine(const struct agent_options *options, struct br_err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		br_autobuf struct br_buf ignored = { 0 };

		if (rows[i].is_machine &&
			!rows[i].check(options, &ignored, err))
			return br_wrap(err, "%s", rows[i].name);
	}
	return true;
}
