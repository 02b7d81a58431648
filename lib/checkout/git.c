/* SPDX-License-Identifier: MIT */
#include "checkout/git.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/program.h"
#include "base/str.h"
#include "checkout/verdict.h"

enum {
	/* More than any answer that is read here. */
	OUTPUT_MAX_BYTES = 1024 * 1024,
	ARGS_MAX = 80,
	/* What git exits with where a program cannot be started. */
	STATUS_NOT_FOUND = 127,
};

/* Over whatever the user's configuration has. */
static const char *const settings[] = {
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"init.templateDir=",
	/* What a power cut damages is made anew. */
	"core.fsync=none",
	"gc.auto=0",
	"maintenance.auto=false",
	"fetch.fsckObjects=true",
	"transfer.fsckObjects=true",
	/* Packs can be handed on as they are. */
	"fetch.unpackLimit=1",
	"fetch.prune=false",
	"fetch.writeCommitGraph=false",
	"http.followRedirects=initial",
	"credential.interactive=false",
	/* Large files only come when they are asked for. */
	"filter.lfs.smudge=",
	"filter.lfs.process=",
	"filter.lfs.required=false",
};

/* GIT_* variables that say how to reach a server: git's users set them. */
static const char *const kept[] = { "GIT_SSH=", "GIT_SSH_COMMAND=",
	"GIT_SSH_VARIANT=", "GIT_SSL_", "GIT_PROXY_SSL_",
	"GIT_HTTP_PROXY_AUTHMETHOD=", "GIT_HTTP_USER_AGENT=",
	"GIT_CONFIG_GLOBAL=", "GIT_CONFIG_SYSTEM=", "GIT_CONFIG_NOSYSTEM=",
	"GIT_EXEC_PATH=" };

/* What would lead git elsewhere, make it ask, change its words, or is a secret. */
static const char *const dropped[] = { "GIT_", "LC_",
	"LANG=", "LANGUAGE=", "SSH_ASKPASS",
	"DISPLAY=", "WAYLAND_DISPLAY=", "BUILDR_" };

static const char *const always[] = { "LC_ALL=C", "GIT_TERMINAL_PROMPT=0",
	/* Empty: nobody is asked, whatever the configuration names. */
	"GIT_ASKPASS=", "SSH_ASKPASS_REQUIRE=never", "GCM_INTERACTIVE=never",
	"GIT_LFS_SKIP_SMUDGE=1" };

static const char *const local_only[] = { "GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_ATTR_NOSYSTEM=1" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Variables in the making. */
struct variables {
	char **list;
	size_t count;
	size_t capacity;
};

/* Takes `variable`. */
static void add(struct variables *variables, char *variable)
{
	/* There is always room for the NULL at the end. */
	variables->list = br_grow(variables->list, variables->count + 1,
		&variables->capacity, sizeof(*variables->list));
	variables->list[variables->count++] = variable;
	variables->list[variables->count] = NULL;
}

static void add_all(
	struct variables *variables, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(variables, br_strdup(texts[i]));
}

static bool has_prefix_of(
	const char *text, const char *const *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (br_has_prefix(text, prefixes[i]))
			return true;
	return false;
}

static void add_callers(struct variables *variables)
{
	for (char **at = environ; *at; at++)
		if (has_prefix_of(*at, kept, COUNT(kept)) ||
			!has_prefix_of(*at, dropped, COUNT(dropped)))
			add(variables, br_strdup(*at));
}

/*
 * A user and a password reach git through a helper of ours that is asked for this one
 * server and before all others: in an address they would stand on command lines.
 */
static void add_login(struct variables *variables, const struct br_repo *repo)
{
	if (!repo->server)
		return;
	if (!repo->password) {
		add(variables, br_strdup("GIT_CONFIG_COUNT=1"));
		add(variables,
			br_format("GIT_CONFIG_KEY_0=credential.%s.username",
				repo->server));
		add(variables, br_format("GIT_CONFIG_VALUE_0=%s", repo->user));
		return;
	}
	add(variables, br_strdup("GIT_CONFIG_COUNT=2"));
	/* The empty one forgets those before it. */
	for (int i = 0; i < 2; i++)
		add(variables,
			br_format("GIT_CONFIG_KEY_%d=credential.%s.helper", i,
				repo->server));
	add(variables, br_strdup("GIT_CONFIG_VALUE_0="));
	add(variables,
		br_strdup("GIT_CONFIG_VALUE_1="
			  "!printf 'username=%s\\npassword=%s\\n' "
			  "\"$CHECKOUT_USER\" \"$CHECKOUT_PASSWORD\"; :"));
	add(variables, br_format("CHECKOUT_USER=%s", repo->user));
	add(variables, br_format("CHECKOUT_PASSWORD=%s", repo->password));
}

static char **make_remote(
	const struct br_repo *repo, const char *const *extra_protocols)
{
	br_autofree char *protocols = br_repo_protocols(extra_protocols);
	struct variables variables = { 0 };

	add_callers(&variables);
	add_all(&variables, always, COUNT(always));
	add(&variables, br_format("GIT_ALLOW_PROTOCOL=%s", protocols));
	add_login(&variables, repo);
	return variables.list;
}

static char **make_local(void)
{
	const char *path = getenv("PATH");
	struct variables variables = { 0 };

	if (path)
		add(&variables, br_format("PATH=%s", path));
	add_all(&variables, always, COUNT(always));
	add_all(&variables, local_only, COUNT(local_only));
	/* Nothing is to be fetched. */
	add(&variables, br_strdup("GIT_ALLOW_PROTOCOL="));
	return variables.list;
}

void br_gits_init(struct br_gits *gits, const struct br_repo *repo,
	const char *const *extra_protocols)
{
	*gits = (struct br_gits){
		.repo = repo,
		.cancel_fd = -1,
		.remote_environment = make_remote(repo, extra_protocols),
		.local_environment = make_local(),
	};
}

static void append(char ***list, char *variable)
{
	struct variables variables = { .list = *list };

	while (variables.list[variables.count])
		variables.count++;
	variables.capacity = variables.count + 1;
	add(&variables, variable);
	*list = variables.list;
}

bool br_gits_quiet_ssh(
	struct br_gits *gits, const char *git_dir, struct br_err *err)
{
	static const char *const args[] = { "config", "--get",
		"core.sshCommand", NULL };
	const struct br_git_call call = {
		.git_dir = git_dir,
		.args = args,
		.is_remote = true,
	};
	br_autobuf struct br_buf answer = { 0 };
	int status = 0;

	if (getenv("GIT_SSH_COMMAND") || getenv("GIT_SSH"))
		return true;
	if (!br_git_ask(gits, &call, &answer, &status, err))
		return false;
	if (status != 0)
		append(&gits->remote_environment,
			br_strdup("GIT_SSH_COMMAND=ssh -oBatchMode=yes"));
	return true;
}

static void free_environment(char **list)
{
	for (char **at = list; at && *at; at++) {
		explicit_bzero(*at, strlen(*at));
		free(*at);
	}
	free(list);
}

void br_gits_done(struct br_gits *gits)
{
	free_environment(gits->remote_environment);
	free_environment(gits->local_environment);
	*gits = (struct br_gits){ .cancel_fd = -1 };
}

/* Fill `argv` with the command line, and two options that are made already. */
static void make_argv(const struct br_git_call *call, const char *git_dir,
	const char *work_tree, const char *argv[ARGS_MAX])
{
	size_t count = 0;

	argv[count++] = "git";
	argv[count++] = git_dir;
	if (call->work_tree)
		argv[count++] = work_tree;
	for (size_t i = 0; i < COUNT(settings); i++) {
		argv[count++] = "-c";
		argv[count++] = settings[i];
	}
	for (size_t i = 0; call->args[i] && count + 1 < ARGS_MAX; i++)
		argv[count++] = call->args[i];
	argv[count] = NULL;
}

static bool run(const struct br_gits *gits, const struct br_git_call *call,
	struct br_buf *output, struct br_buf *errors, int *status,
	struct br_err *err)
{
	br_autofree char *git_dir = br_format("--git-dir=%s", call->git_dir);
	br_autofree char *work_tree = br_format(
		"--work-tree=%s", call->work_tree ? call->work_tree : "");
	const char *argv[ARGS_MAX];
	char *const *environment = call->is_remote ? gits->remote_environment
						   : gits->local_environment;
	const struct br_program program = {
		.argv = argv,
		.input = call->input,
		.folder = call->work_tree ? call->work_tree : "/",
		.has_session = true,
		.errors = errors,
		.has_watcher = true,
		.watcher_fd = gits->guard->fd,
	};
	int64_t left_ms = gits->deadline_ms - br_clock_now_ms();
	const struct br_process_limits limits = {
		.timeout_ms = left_ms > 0 ? left_ms : 0,
		.max_bytes = OUTPUT_MAX_BYTES,
		.max_file_bytes = gits->max_file_bytes,
		.cancel_fd = gits->cancel_fd,
		.environment = (const char *const *)environment,
	};

	make_argv(call, git_dir, work_tree, argv);
	bool is_good = br_program_run(&program, &limits, output, status, err);
	br_guard_clear(gits->guard);
	if (is_good && *status == STATUS_NOT_FOUND)
		return br_fail(err, BR_ESYSTEM, "git is not installed");
	return is_good;
}

bool br_git_ask(const struct br_gits *gits, const struct br_git_call *call,
	struct br_buf *output, int *status, struct br_err *err)
{
	br_autobuf struct br_buf errors = { 0 };

	return run(gits, call, output, &errors, status, err);
}

bool br_git_run(const struct br_gits *gits, const struct br_git_call *call,
	struct br_buf *output, struct br_err *err)
{
	br_autobuf struct br_buf errors = { 0 };
	int status = 0;

	if (!run(gits, call, output, &errors, &status, err))
		return false;
	if (status == 0)
		return true;
	if (errors.len == 0)
		return br_fail(err, BR_EPROTO,
			"git ended with status %d and no word", status);
	return br_verdict(br_buf_text(&errors), err);
}
