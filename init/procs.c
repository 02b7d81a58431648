/* SPDX-License-Identifier: MIT */
#include "init/procs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/mem.h"

enum { SMALL_FILE_BYTES = 2048 };

/* Read a small file as text; gives false where it cannot be read. */
static bool read_small(const char *path, char text[SMALL_FILE_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;

	ssize_t n = read(fd, text, SMALL_FILE_BYTES - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int64_t ticks_to_us(uint64_t ticks)
{
	return (int64_t)(ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

/*
 * proc(5) `stat`. The second field is the program's name in parentheses and may
 * hold anything, so what follows counts from the last ')'.
 */
static bool parse_stat(const char *text, struct proc *proc)
{
	const char *at = strrchr(text, ')');
	char state;
	int parent;
	int session;
	uint64_t cpu[4];
	uint64_t start;
	uint64_t pages;

	if (!at)
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	if (sscanf(at + 1,
		    " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
		    " %" SCNu64 " %" SCNu64 " %" SCNu64
		    " %*d %*d %*d %*d %" SCNu64 " %*u %" SCNu64,
		    &state, &parent, &session, &cpu[0], &cpu[1], &cpu[2],
		    &cpu[3], &start, &pages) != 9)
		return false;
	proc->parent = parent;
	proc->session = session;
	proc->start_ticks = start;
	proc->cpu_us = ticks_to_us(cpu[0] + cpu[1] + cpu[2] + cpu[3]);
	proc->rss_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE);
	proc->is_zombie = state == 'Z' || state == 'X';
	proc->is_member = false;
	return true;
}

bool proc_read(pid_t pid, struct proc *proc)
{
	char path[64];
	char text[SMALL_FILE_BYTES];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_small(path, text) || !parse_stat(text, proc))
		return false;
	proc->pid = pid;
	return true;
}

void procs_scan(struct procs *procs)
{
	DIR *folder = opendir("/proc");
	struct proc proc;

	procs->count = 0;
	if (!folder)
		return;
	for (struct dirent *entry = readdir(folder); entry;
		entry = readdir(folder)) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid == getpid() || !proc_read(pid, &proc))
			continue;
		procs->items = mem_grow(procs->items, procs->count,
			&procs->capacity, sizeof(*procs->items));
		procs->items[procs->count++] = proc;
	}
	(void)closedir(folder);
}

void procs_done(struct procs *procs)
{
	free(procs->items);
	*procs = (struct procs){ 0 };
}

static bool is_known(const struct proc *proc, const pid_t *sessions,
	size_t session_count, const struct procs *known)
{
	for (size_t i = 0; i < session_count; i++)
		if (proc->session == sessions[i])
			return true;
	for (size_t i = 0; known && i < known->count; i++)
		if (proc->pid == known->items[i].pid &&
			proc->start_ticks == known->items[i].start_ticks)
			return true;
	return false;
}

static bool has_member_parent(
	const struct procs *procs, const struct proc *proc)
{
	for (size_t i = 0; i < procs->count; i++)
		if (procs->items[i].pid == proc->parent)
			return procs->items[i].is_member;
	return false;
}

void procs_mark(struct procs *procs, const pid_t *sessions,
	size_t session_count, const struct procs *known)
{
	bool has_changed = true;

	for (size_t i = 0; i < procs->count; i++)
		procs->items[i].is_member = is_known(
			&procs->items[i], sessions, session_count, known);
	while (has_changed) {
		has_changed = false;
		for (size_t i = 0; i < procs->count; i++) {
			struct proc *proc = &procs->items[i];
			if (proc->is_member || !has_member_parent(procs, proc))
				continue;
			proc->is_member = true;
			has_changed = true;
		}
	}
	/* Only now: a zombie's children are members too. */
	for (size_t i = 0; i < procs->count; i++)
		if (procs->items[i].is_zombie)
			procs->items[i].is_member = false;
}

int64_t oom_kill_count(void)
{
	static const char *const paths[] = {
		"/sys/fs/cgroup/memory.events",
		"/sys/fs/cgroup/memory/memory.oom_control",
	};
	char text[SMALL_FILE_BYTES];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!read_small(paths[i], text))
			continue;
		const char *at = strstr(text, "oom_kill ");
		if (at)
			return strtoll(at + strlen("oom_kill "), NULL, 10);
	}
	return -1;
}

/* Kill by signal -1, or what descends from this process; false: nobody is left. */
static bool kill_round(struct procs *procs)
{
	const struct proc self = { .pid = getpid(), .is_member = true };
	bool is_any = false;

	if (self.pid == 1)
		return kill(-1, SIGKILL) == 0;

	procs_scan(procs);
	procs->items = mem_grow(procs->items, procs->count, &procs->capacity,
		sizeof(*procs->items));
	procs->items[procs->count++] = self;
	/* This process is in the list as one that is known. */
	procs_mark(procs, NULL, 0,
		&(struct procs){
			.items = &procs->items[procs->count - 1], .count = 1 });
	for (size_t i = 0; i + 1 < procs->count; i++) {
		if (!procs->items[i].is_member)
			continue;
		is_any = true;
		(void)kill(procs->items[i].pid, SIGKILL);
	}
	return is_any;
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

void procs_kill_all(void)
{
	/* 2 s: only what the kernel itself holds up is still there then. */
	enum { ROUNDS = 2000, PAUSE_NS = 1000000 };
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct procs procs = { 0 };

	/* One that is being forked escapes a round, so until nobody is left. */
	for (int round = 0; round < ROUNDS; round++) {
		bool is_any = kill_round(&procs);
		reap_all();
		if (!is_any && waitpid(-1, NULL, WNOHANG) < 0 &&
			errno == ECHILD)
			break;
		(void)nanosleep(&pause, NULL);
	}
	procs_done(&procs);
}
