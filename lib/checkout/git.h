/* SPDX-License-Identifier: MIT */
/*
 * git.h - git(1), started so that nothing it meets can make it do anything else.
 *
 * What speaks to a server has the user's configuration, environment and keys, since
 * credential helpers, proxies and certificates are found there, but no terminal and
 * nothing that asks. What only works on our own files has neither.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "checkout/guard.h"
#include "checkout/repo.h"

/* What all calls of one checkout share. Starts out by br_gits_init(). */
struct br_gits {
	const struct br_repo *repo;
	struct br_guard *guard;
	/* On the monotonic clock. */
	int64_t deadline_ms;
	int cancel_fd;
	int64_t max_file_bytes;
	/* NAME=VALUE, NULL-terminated. */
	char **remote_environment;
	char **local_environment;
};

/* One call. */
struct br_git_call {
	/* The repository, absolute. */
	const char *git_dir;
	/* NULL: it needs none. */
	const char *work_tree;
	/* The subcommand and its arguments, or settings first; NULL-terminated. */
	const char *const *args;
	/* For stdin; NULL: nothing. */
	const char *input;
	/* It speaks to a server. */
	bool is_remote;
};

/*
 * Prepare the environments. The other members are the caller's to set.
 *
 * Ownership: br_gits_done(). `repo` is borrowed until then.
 */
void br_gits_init(struct br_gits *gits, const struct br_repo *repo,
	const char *const *extra_protocols);

/*
 * Have ssh ask nobody, unless the user names a program for it: without a terminal
 * that cannot ask either, but tries empty passwords. `git_dir` is any repository.
 *
 * Fails as br_git_ask() does.
 */
bool br_gits_quiet_ssh(struct br_gits *gits, const char *git_dir,
	struct br_err *err) BR_MUST_CHECK;

/* Free what `gits` holds. */
void br_gits_done(struct br_gits *gits);

/*
 * Run git and add what it writes to `output`.
 *
 * Fails as br_checkout_make() has it where git's message is a known one, with
 * BR_EPROTO where it is not (a damaged repository of our own, maybe), and with
 * BR_ETIMEDOUT and BR_ECANCELED. The text has no password in it.
 */
bool br_git_run(const struct br_gits *gits, const struct br_git_call *call,
	struct br_buf *output, struct br_err *err) BR_MUST_CHECK;

/*
 * Run git for its exit status, whatever it is; output as for br_git_run().
 *
 * Fails with BR_ETIMEDOUT, BR_ECANCELED and BR_ESYSTEM. `status` is set only where it
 * does not.
 */
bool br_git_ask(const struct br_gits *gits, const struct br_git_call *call,
	struct br_buf *output, int *status, struct br_err *err) BR_MUST_CHECK;
