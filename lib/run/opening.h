/* SPDX-License-Identifier: MIT */
/*
 * opening.h - which containers and services are opened when.
 *
 * What is due comes first, as much of it as may run at once, on the longest path
 * before others. Beside that the next stages of the plan have theirs opened ahead,
 * as many as may run at once, so that in its turn each starts without waiting.
 */
#pragma once

struct br_stage_run;
struct br_stages;

/* Open what should be open now. */
void br_opening_look(struct br_stages *stages);

/* Open again what an attempt has lost, for the next one. */
void br_opening_renew(struct br_stage_run *run);
