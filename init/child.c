/* SPDX-License-Identifier: MIT */
#include "init/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include "init/poller.h"

void child_init(struct child *child)
{
	*child = (struct child){ .report = -1, .report_slot = POLLER_NO_SLOT };
}

bool child_start(struct child *child, const struct spawn *spawn)
{
	child_init(child);

	pid_t pid = spawn_start(spawn, &child->report);
	if (pid < 0)
		return false;
	child->pid = pid;
	return true;
}

void child_settle(struct child *child)
{
	if (child->report < 0)
		return;
	child->has_failed = spawn_has_failed(child->report, &child->failure);
	(void)close(child->report);
	child->report = -1;
}

static int64_t time_to_us(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

void child_end(struct child *child, int wait_status, const struct rusage *usage)
{
	enum { KIB = 1024, SIGNAL_STATUS = 128 };

	child->is_over = true;
	child->is_signal = WIFSIGNALED(wait_status);
	child->status = child->is_signal ? SIGNAL_STATUS + WTERMSIG(wait_status)
					 : WEXITSTATUS(wait_status);
	child->cpu_us =
		time_to_us(usage->ru_utime) + time_to_us(usage->ru_stime);
	child->max_rss_bytes = (int64_t)usage->ru_maxrss * KIB;
}

void child_done(struct child *child)
{
	if (child->report >= 0)
		(void)close(child->report);
	child_init(child);
}
