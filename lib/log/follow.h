/* SPDX-License-Identifier: MIT */
/*
 * follow.h - waits until there is more of a log.
 *
 * inotify(7) says so at once where it can; that a build has ended, and everything on file
 * systems on which it cannot, is seen by looking again and again.
 */
#pragma once

/* Starts out all zero, then br_log_follow_open(). Private. */
struct br_log_follow {
	/* -1: there is no inotify. */
	int fd;
};

/* Begin to watch the log of `build` in `folder`. */
void br_log_follow_open(
	struct br_log_follow *follow, const char *folder, const char *build);

/* End it. */
void br_log_follow_close(struct br_log_follow *follow);

/*
 * Wait until something was written since the last call or a signal comes, for a fifth of
 * a second at most.
 */
void br_log_follow_wait(const struct br_log_follow *follow);
