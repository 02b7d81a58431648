/* SPDX-License-Identifier: MIT */
/*
 * after.h - the shells that somebody gets in the containers of stages that have failed, one
 * after the other, when nothing runs any more (--shell-on-fail). Until they have ended
 * nothing new is started, and the stages have not ended.
 */
#pragma once

#include <stdbool.h>

struct br_stage_run;
struct br_stages;

/* Say whether there is to be a shell for a stage that has failed. */
bool br_after_is_wanted(const struct br_stage_run *run);

/* The stage waits for its shell. */
void br_after_wait(struct br_stage_run *run);

/* Open the next one, where nothing runs and none is open. */
void br_after_open(struct br_stages *stages);

/*
 * The shell of `run` has ended, and with it the stage; `failure` says why there was none,
 * or is NULL.
 */
void br_after_leave(struct br_stage_run *run, const char *failure);

/* There will be no shell: the stage ends. */
void br_after_drop(struct br_stage_run *run);
