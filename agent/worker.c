/* SPDX-License-Identifier: MIT */
#include "agent/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "checkout/checkout.h"
#include "engine/docker.h"
#include "event/bus.h"
#include "event/json.h"
#include "run/run.h"

/* The contract's exit codes for a build that was never begun. */
enum { EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3, EXIT_CANCELLED = 130 };

/* For a repository that does not come. */
enum { CHECKOUT_TIMEOUT_MS = 30 * 60 * 1000 };

/* Where the signal handler writes. */
static volatile sig_atomic_t stop_fd = -1;

/* The child's own state. */
struct work {
	const struct worker_options *options;
	struct br_bus bus;
	/* The agent's end: events go there, and the word to go on comes. */
	int agent_fd;
	/* Readable: stop. */
	int cancel_fd;
	struct br_checkout checkout;
};

/* Writes events to the agent. */
struct agent_sink {
	struct br_sink sink;
	int fd;
	struct br_buf line;
};

static bool write_event(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct agent_sink *sink = (struct agent_sink *)self;

	br_buf_clear(&sink->line);
	br_event_format(event, &sink->line);
	return br_file_write(sink->fd, sink->line.data, sink->line.len, err);
}

static void emit(struct work *work, struct br_event *event)
{
	struct br_err ignored = { 0 };

	/* Nobody listens any more: the agent is gone, and so are we. */
	if (!br_bus_emit(&work->bus, event, &ignored))
		_exit(WORKER_AGAIN);
}

/* Facts of this machine; they point into `host`. */
static struct br_event_host describe_host(
	const struct work *work, struct utsname *host)
{
	(void)uname(host);
	return (struct br_event_host){
		.name = work->options->name,
		.system = host->sysname,
		.release = host->release,
		.machine = host->machine,
	};
}

/* Wait until the try is recorded, which has a number then. */
static void await_go(struct work *work)
{
	ssize_t n = 0;

	do
		n = read(work->agent_fd, &work->bus.attempt,
			sizeof(work->bus.attempt));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(work->bus.attempt))
		_exit(WORKER_AGAIN);
}

/* Begin to tell of a build that never is one. */
static void emit_started(struct work *work)
{
	struct utsname host;

	await_go(work);
	emit(work,
		&(struct br_event){
			.type = BR_EVENT_BUILD_STARTED,
			.build_started = {
				.host = describe_host(work, &host),
				.version = BUILDR_VERSION,
				.branch = work->options->job->branch,
				.commit = work->options->job->commit,
			},
		});
}

static void emit_finished(struct work *work, int code)
{
	struct utsname host;

	emit(work,
		&(struct br_event){
			.type = BR_EVENT_BUILD_FINISHED,
			.build_finished = {
				.result = code == EXIT_CANCELLED
					? BR_RESULT_CANCELLED
					: BR_RESULT_ERROR,
				.exit = code,
				.host = describe_host(work, &host),
			},
		});
}

static void emit_error(struct work *work, const char *text)
{
	emit(work,
		&(struct br_event){
			.type = BR_EVENT_NOTICE,
			.notice = { .level = BR_LEVEL_ERROR, .text = text },
		});
}

/* Tell of a build that never was one. */
static int fail_before(
	struct work *work, const char *text, int code, bool is_ours)
{
	emit_started(work);
	emit_error(work, text);
	emit_finished(work, code);
	return is_ours ? WORKER_AGAIN : WORKER_DONE;
}

/* Somebody has asked for it: that is how the build came out. */
static int end_cancelled(struct work *work)
{
	emit_started(work);
	emit_finished(work, EXIT_CANCELLED);
	return WORKER_DONE;
}

static int fail_by(struct work *work, const struct br_err *err)
{
	if (err->code == BR_ECANCELED)
		return end_cancelled(work);

	bool is_jobs_fault =
		err->code == BR_EINPUT || err->code == BR_ENOTFOUND;
	bool is_away = err->code == BR_EUNAVAIL || err->code == BR_ETIMEDOUT;
	int status = fail_before(work, err->text,
		is_jobs_fault ? EXIT_USAGE : EXIT_ENVIRONMENT, !is_jobs_fault);

	return is_away ? WORKER_AWAY : status;
}

/* What a repository names is held to the same rules as the repository. */
static bool check_repo(void *ctx, const char *repo, struct br_err *err)
{
	return policy_check_repo(ctx, repo, err);
}

static bool check_out(struct work *work, struct br_err *err)
{
	const struct worker_options *options = work->options;
	/* The checkout hands it back as it is. */
	struct policy policy = *options->policy;
	const struct br_checkout_options how = {
		.repo = options->job->repo,
		.branch = options->job->branch,
		.commit = options->job->commit,
		.work_dir = options->work_dir,
		.build = options->build,
		.allowed_protocols = options->policy->protocols,
		.has_submodules = options->job->has_submodules,
		.has_lfs = options->job->has_lfs,
		.check_repo = check_repo,
		.check_ctx = &policy,
		.timeout_ms = CHECKOUT_TIMEOUT_MS,
		.cancel_fd = work->cancel_fd,
	};

	return policy_check_repo(options->policy, how.repo, err) &&
		br_checkout_make(&how, &work->checkout, err);
}

/* The agent's own settings, its broker's password among them, are not the job's. */
static const char **copy_environment(void)
{
	size_t count = 0;
	size_t kept = 0;

	while (environ[count])
		count++;

	const char **copy = br_alloc_array(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (!br_has_prefix(environ[i], "BUILDR_"))
			copy[kept++] = environ[i];
	return copy;
}

/*
 * Whether a file of the checkout is one: no link leads out of the tree, where other
 * people's files are (openat2(2)).
 */
static bool is_inside(const struct work *work, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	br_autoclose int tree =
		open(work->checkout.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	br_autoclose int fd = tree < 0
		? -1
		: (int)syscall(SYS_openat2, tree, path, &how, sizeof(how));

	return fd >= 0;
}

/* The manifest stands at the top of the tree, and is not looked for further up. */
static bool find_manifest(
	const struct work *work, const char **name, struct br_err *err)
{
	static const char *const names[] = { ".buildr", ".buildr.yml",
		".buildr.yaml" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		br_autofree char *path =
			br_path_join(work->checkout.folder, names[i]);
		struct stat status;

		if (lstat(path, &status) < 0 || S_ISDIR(status.st_mode))
			continue;
		*name = names[i];
		return is_inside(work, names[i]) ||
			br_fail(err, BR_EINPUT,
				"'%s' is a link out of the repository",
				names[i]);
	}
	return br_fail(err, BR_ENOTFOUND,
		"the repository has no .buildr.yml at its top");
}

static bool check_files(const struct work *work,
	const struct br_manifest *manifest, struct br_err *err)
{
	for (size_t i = 0; i < manifest->env_files.count; i++) {
		const char *path = manifest->env_files.items[i].text;

		/* One that is not there is the plan's to report. */
		if (!is_inside(work, path) && errno != ENOENT)
			return br_fail(err, BR_EINPUT,
				"the file '%s' of the environment is not in "
				"the repository",
				path);
	}
	return true;
}

/* One line, however many there are; NULL: there are none. The caller frees it. */
static char *name_unknown(const struct job_texts *keys)
{
	enum { NAMED_MAX = 5, NAME_BYTES = 40 };
	struct br_buf text = { 0 };

	if (keys->count == 0)
		return NULL;
	br_buf_add_text(&text, "the job has keys that are not known: ");
	for (size_t i = 0; i < keys->count && i < NAMED_MAX; i++) {
		const char *key = keys->items[i];
		size_t len = br_utf8_valid_len(key, strnlen(key, NAME_BYTES));

		br_buf_addf(
			&text, "%s'%.*s'", i > 0 ? ", " : "", (int)len, key);
	}
	if (keys->count > NAMED_MAX)
		br_buf_addf(&text, " and %zu more", keys->count - NAMED_MAX);
	return br_buf_take(&text);
}

static bool make_plan(struct work *work, struct br_diags *diags,
	struct br_plan **plan, struct br_err *err)
{
	const struct worker_options *options = work->options;
	const struct job *job = options->job;
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	br_autofree const char **environment = copy_environment();
	br_autofree char *unknown = name_unknown(&job->unknown);
	const char *name = NULL;

	if (!find_manifest(work, &name, err) ||
		!br_manifest_open(
			work->checkout.folder, name, &manifest, diags, err))
		return false;
	if (!manifest)
		return true;
	if (!check_files(work, manifest, err))
		return false;

	const struct br_plan_options how = {
		.env = job->environment.items,
		.env_count = job->environment.count,
		.selection = { job->stages.items, job->stages.count },
		.environment = environment,
		.note = unknown,
		.caller_uid = geteuid(),
		.caller_gid = getegid(),
	};
	return br_plan_build(manifest, &how, diags, plan, err) &&
		(!*plan || policy_apply(options->policy, manifest, *plan, err));
}

static int run_plan(
	struct work *work, const struct br_plan *plan, struct br_engine *engine)
{
	const struct worker_options *options = work->options;
	br_autofree char *repo = br_checkout_show(options->job->repo);
	struct br_outcome outcome = { 0 };
	br_autofree char *folder = br_path_join(options->work_dir, "cache");
	const struct br_cache_options cache = {
		.folder = options->cache->is_off ? NULL : folder,
		.project = repo,
		.remote = options->cache->remote,
		.remote_token = options->cache->token,
		.remote_ca_file = options->cache->ca_file,
		.is_remote_read_only = options->cache->is_read_only,
		.max_bytes = options->cache->size_bytes,
		.max_age_ms = options->cache->age_ms,
	};
	const struct br_run_options how = {
		.engine = engine,
		.bus = &work->bus,
		.cache = &cache,
		.version = BUILDR_VERSION,
		.host_name = options->name,
		.repo = repo,
		.branch = work->checkout.branch,
		.commit = work->checkout.commit,
		.timeout_ms = options->policy->timeout_ms,
		.grace_ms = BR_RUN_GRACE_MS,
		.cancel_fd = work->cancel_fd,
	};

	await_go(work);
	br_run(plan, &how, &outcome);
	return outcome.is_ours ? WORKER_AGAIN : WORKER_DONE;
}

static int run(struct work *work)
{
	br_auto(br_plan) struct br_plan *plan = NULL;
	br_auto(br_engine) struct br_engine *engine = NULL;
	const struct br_docker_options where = {
		.address = work->options->docker_sock,
	};
	struct br_diags diags = { 0 };
	br_autobuf struct br_buf mistakes = { 0 };
	struct br_err err = { 0 };

	if (!check_out(work, &err))
		return fail_by(work, &err);

	bool is_planned = make_plan(work, &diags, &plan, &err);
	br_diags_format(&diags, &mistakes);
	br_diags_done(&diags);
	if (!is_planned)
		return fail_by(work, &err);
	if (!plan)
		return fail_before(
			work, br_buf_text(&mistakes), EXIT_USAGE, false);
	if (!br_docker_open(&where, &engine, &err))
		return fail_before(work, err.text, EXIT_ENVIRONMENT, true);
	return run_plan(work, plan, engine);
}

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;

	(void)!write((int)stop_fd, &byte, 1);
	errno = saved;
}

/* Signals become bytes on a pipe, as a build wants them. */
static int catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	stop_fd = ends[1];
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		(void)sigaction(caught[i], &action, NULL);
	return ends[0];
}

/* Nothing of the agent's is the worker's but the socket and stderr. */
static int keep_only(int fd)
{
	enum { KEPT = STDERR_FILENO + 1 };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(null, STDOUT_FILENO) < 0 ||
		(fd != KEPT && dup2(fd, KEPT) < 0) ||
		close_range(KEPT + 1, ~0U, 0) < 0 ||
		fcntl(KEPT, F_SETFD, FD_CLOEXEC) < 0)
		_exit(WORKER_AGAIN);
	return KEPT;
}

BR_NORETURN static void worker_main(
	const struct worker_options *options, int fd, pid_t agent)
{
	sigset_t none;
	struct work work = {
		.options = options,
		.agent_fd = -1,
	};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != agent)
		_exit(WORKER_AGAIN);
	/* A signal of the terminal is the agent's to pass on. */
	(void)setsid();
	/* Another user in a container reads the tree, and the folder around it is ours. */
	(void)umask(S_IWGRP | S_IWOTH);

	work.agent_fd = keep_only(fd);
	struct agent_sink sink = { .sink = { .handle = write_event },
		.fd = work.agent_fd };
	(void)sigemptyset(&none);
	work.cancel_fd = catch_signals();
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	memcpy(work.bus.build, options->build, sizeof(work.bus.build));
	br_bus_add(&work.bus, &sink.sink);

	int status = run(&work);
	br_checkout_remove(&work.checkout);
	/* One that was killed may have left its tree to its janitor's lock. */
	(void)br_checkout_sweep(options->work_dir);
	_exit(status);
}

bool worker_start(const struct worker_options *options, struct worker *worker,
	struct br_err *err)
{
	pid_t agent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return br_fail_errno(err, "make a socket");
	br_autoclose int ours = ends[0];
	br_autoclose int theirs = ends[1];

	pid_t child = fork();
	if (child < 0)
		return br_fail_errno(err, "start a process");
	if (child == 0)
		worker_main(options, theirs, agent);
	(void)fcntl(ours, F_SETFL, O_NONBLOCK);
	*worker = (struct worker){ .pid = child, .fd = br_take_fd(&ours) };
	return true;
}

void worker_go(const struct worker *worker, uint32_t attempt)
{
	/* It is the first thing that is written: there is room. */
	(void)!write(worker->fd, &attempt, sizeof(attempt));
}

void worker_stop(const struct worker *worker, int number)
{
	if (worker->pid > 0)
		(void)kill(worker->pid, number);
}

void worker_abort(const struct worker *worker)
{
	/* Two signals are twice as urgent, and two of a kind may become one. */
	worker_stop(worker, SIGTERM);
	worker_stop(worker, SIGINT);
}

void worker_await(const struct worker *worker, int64_t deadline_ms)
{
	struct pollfd wait = { .fd = worker->fd, .events = POLLIN };
	char data[4096];

	while (worker->fd >= 0) {
		int64_t left_ms = deadline_ms - br_clock_now_ms();
		ssize_t n = read(worker->fd, data, sizeof(data));

		if (n == 0 || left_ms <= 0)
			return;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (n < 0)
			(void)poll(&wait, 1, (int)left_ms);
	}
}

int worker_end(struct worker *worker)
{
	int status = 0;

	if (worker->fd >= 0)
		(void)close(br_take_fd(&worker->fd));
	if (worker->pid <= 0)
		return WORKER_AGAIN;
	(void)kill(worker->pid, SIGKILL);
	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	worker->pid = 0;
	if (!WIFEXITED(status) ||
		(WEXITSTATUS(status) != WORKER_DONE &&
			WEXITSTATUS(status) != WORKER_AWAY))
		return WORKER_AGAIN;
	return WEXITSTATUS(status);
}
