/* SPDX-License-Identifier: MIT */
/*
 * user.h - who a stage runs as, by the image's passwd and group files.
 *
 * As docker takes it: `uid`, `uid:gid`, `name`, `name:group` and mixtures. A user
 * that the files do not know works as a number, with group 0. Supplementary
 * groups come with a known user whose group is not given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	USER_GROUPS_MAX = 64,
	USER_HOME_BYTES = 256,
};

struct user {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX];
	size_t group_count;
	/* `/` where the files do not know the user. */
	char home[USER_HOME_BYTES];
};

/*
 * Find the user that `text` names. `folder` holds the files `passwd` and `group`
 * (`/etc`). Gives false where a name is not there.
 */
bool user_find(const char *folder, const char *text, struct user *user);

/* Find the user whom the host calls `text`, `uid:gid`. */
bool user_find_host(const char *folder, const char *text, struct user *user);
