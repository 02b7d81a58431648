/* SPDX-License-Identifier: MIT */
/* commands.h - one function a command; each gives the exit status. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/options/options.h"
#include "manifest/manifest.h"
#include "plan/plan.h"

/* The contract's exit codes. */
enum exit_status {
	STATUS_PASS = 0,
	STATUS_FAIL = 1,
	STATUS_USAGE = 2,
	STATUS_ENVIRONMENT = 3,
};

int cmd_run(const struct options *options);
int cmd_check(const struct options *options);
int cmd_plan(const struct options *options);
int cmd_gc(const struct options *options);
int cmd_shell(const struct options *options);
int cmd_init(const struct options *options);
int cmd_completion(const struct options *options);

/* `argv` is that of main(), for the program that speaks to the broker. */
int cmd_doctor(const struct options *options, char **argv);
int cmd_log(const struct options *options);
int cmd_events(const struct options *options);
int cmd_cache(const struct options *options);
int cmd_why(const struct options *options);

/*
 * Give way to the program that speaks to the broker, called as this one was. Comes
 * back only where it cannot be.
 */
int farm_exec(char **argv);

/*
 * Find that program. Ownership: the caller frees *program with free(). Fails with
 * BR_ENOTFOUND.
 */
bool farm_find(char **program, struct br_err *err) BR_MUST_CHECK;

/* Print "buildr: <text>" on stderr. */
void complain(const struct br_err *err);

/* Give the exit status that an error outside of a build has. */
int status_of(const struct br_err *err);
