/* SPDX-License-Identifier: MIT */
/*
 * Stopping a stage: SIGTERM to everybody in it (SIGHUP where somebody sat at it, for
 * shells that are typed to ignore SIGTERM), and SIGKILL to who is left after the
 * grace. Who is in it is looked up again and again, since processes come, go
 * and change their session; who was a member once stays one.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "init/clock.h"
#include "init/mem.h"
#include "init/stage.h"

enum {
	CHECK_US = 20 * 1000,
	/* After SIGKILL only what the kernel holds up is still there. */
	GIVE_UP_US = 2000 * 1000,
	MS_US = 1000,
};

/* More than any grace; keeps the arithmetic within its type. */
static const uint64_t grace_max_ms = UINT64_C(1000) * 60 * 60 * 24 * 365;

static bool was_member(const struct stop *stop, const struct proc *proc)
{
	for (size_t i = 0; i < stop->members.count; i++)
		if (stop->members.items[i].pid == proc->pid &&
			stop->members.items[i].start_ticks == proc->start_ticks)
			return true;
	return false;
}

/* Find out who is in the stage now; `asks`: and ask who is new to end. */
static void look(struct stage *stage, bool asks)
{
	struct stop *stop = &stage->stop;
	struct procs found = { 0 };
	size_t kept = 0;

	procs_scan(&found);
	procs_mark(
		&found, stage->sessions, stage->session_count, &stop->members);
	for (size_t i = 0; i < found.count; i++) {
		struct proc *proc = &found.items[i];

		if (!proc->is_member)
			continue;
		if (asks && !was_member(stop, proc)) {
			(void)kill(proc->pid,
				stage->spec.has_input ? SIGHUP : SIGTERM);
			/* One that stands still sees it when it goes on. */
			(void)kill(proc->pid, SIGCONT);
		}
		found.items[kept++] = *proc;
	}
	found.count = kept;
	procs_done(&stop->members);
	stop->members = found;
}

static void kill_members(const struct stop *stop)
{
	for (size_t i = 0; i < stop->members.count; i++)
		(void)kill(stop->members.items[i].pid, SIGKILL);
}

void stop_begin(struct stage *stage, uint64_t grace_ms)
{
	struct stop *stop = &stage->stop;
	int64_t now_us = clock_now_us();

	if (grace_ms > grace_max_ms)
		grace_ms = grace_max_ms;
	int64_t kill_at_us = now_us + (int64_t)grace_ms * MS_US;

	if (stop->is_stopping) {
		if (kill_at_us < stop->kill_at_us)
			stop->kill_at_us = kill_at_us;
		stop->check_at_us = now_us;
		return;
	}
	stop->is_stopping = true;
	stop->kill_at_us = kill_at_us;
	stop->check_at_us = now_us;
}

/* Nobody waits for a process that even SIGKILL did not end. */
static void give_up(struct stage *stage, const struct child *child)
{
	static const struct rusage none = { 0 };

	if (child_is_alive(child))
		(void)stage_reap(stage, child->pid, SIGKILL, &none);
}

void stop_work(struct stage *stage)
{
	struct stop *stop = &stage->stop;
	int64_t now_us = clock_now_us();

	if (!stop->is_stopping || now_us < stop->check_at_us)
		return;
	stop->check_at_us = now_us + CHECK_US;
	look(stage, now_us < stop->kill_at_us);
	if (now_us < stop->kill_at_us)
		return;
	if (!stop->is_killed)
		stop->give_up_us = now_us + GIVE_UP_US;
	stop->is_killed = true;
	kill_members(stop);
	if (now_us < stop->give_up_us)
		return;
	give_up(stage, &stage->exec);
	give_up(stage, &stage->shell);
	stage_leave(stage);
}

bool stop_is_done(const struct stage *stage)
{
	const struct stop *stop = &stage->stop;

	return !stop->is_stopping || stop->members.count == 0 ||
		(stop->is_killed && clock_now_us() >= stop->give_up_us);
}
