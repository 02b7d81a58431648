/* SPDX-License-Identifier: MIT */
#include "init/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/id_map.h"
#include "init/mem.h"

enum {
	/* Thousands of users; a file beyond is none that this reads. */
	FILE_MAX_BYTES = 1024 * 1024,
	NAME_BYTES = 256,
	PASSWD_FIELDS = 7,
	GROUP_FIELDS = 4,
};

/*
 * Read a file whole, with a NUL behind it; "" where there is none. A step may have
 * put a pipe in its place, so nothing but a regular file is waited for.
 */
static char *load(const char *folder, const char *name)
{
	char path[PATH_MAX];
	char *text = mem_new(FILE_MAX_BYTES + 1);
	size_t len = 0;
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return text;
	while (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		len < FILE_MAX_BYTES) {
		ssize_t n = read(fd, text + len, FILE_MAX_BYTES - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	(void)close(fd);
	return text;
}

/* Cut the next line off `*rest` into fields; gives how many there are. */
static size_t next_fields(char **rest, char **fields, size_t max)
{
	char *line = strsep(rest, "\n");
	size_t count = 0;

	while (line && count < max)
		fields[count++] = strsep(&line, ":");
	return count;
}

static bool parse_id(const char *text, uint32_t *id)
{
	char *end;

	errno = 0;
	if (text[0] < '0' || text[0] > '9')
		return false;
	unsigned long long number = strtoull(text, &end, 10);
	/* The last one means "no change" to the kernel. */
	if (*end != '\0' || errno || number >= UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

/* A line's name, or its number where `wanted` is one; names go first. */
static bool matches(char *const *fields, const char *wanted, bool by_number)
{
	uint32_t wanted_id;
	uint32_t id;

	if (!by_number)
		return strcmp(fields[0], wanted) == 0;
	return parse_id(wanted, &wanted_id) && parse_id(fields[2], &id) &&
		id == wanted_id;
}

/* Find the user's line and give its name, which groups list. */
static bool find_passwd(const char *folder, const char *wanted, bool by_number,
	struct user *user, char name[NAME_BYTES])
{
	char *text = load(folder, "passwd");
	char *rest = text;
	char *fields[PASSWD_FIELDS];
	uint32_t uid;
	uint32_t gid;
	bool is_found = false;

	while (rest && !is_found) {
		size_t count = next_fields(&rest, fields, PASSWD_FIELDS);
		if (count < 6 || !matches(fields, wanted, by_number) ||
			!parse_id(fields[2], &uid) ||
			!parse_id(fields[3], &gid))
			continue;
		is_found = true;
		user->uid = uid;
		user->gid = gid;
		(void)snprintf(user->home, sizeof(user->home), "%s",
			fields[5][0] == '/' ? fields[5] : "/");
		(void)snprintf(name, NAME_BYTES, "%s", fields[0]);
	}
	free(text);
	return is_found;
}

static bool find_group(
	const char *folder, const char *wanted, bool by_number, gid_t *gid)
{
	char *text = load(folder, "group");
	char *rest = text;
	char *fields[GROUP_FIELDS];
	uint32_t id;
	bool is_found = false;

	while (rest && !is_found) {
		size_t count = next_fields(&rest, fields, GROUP_FIELDS);
		if (count < 3 || !matches(fields, wanted, by_number) ||
			!parse_id(fields[2], &id))
			continue;
		is_found = true;
		*gid = id;
	}
	free(text);
	return is_found;
}

static bool lists(char *members, const char *name)
{
	for (char *member = strsep(&members, ","); member;
		member = strsep(&members, ","))
		if (strcmp(member, name) == 0)
			return true;
	return false;
}

static void find_groups(const char *folder, const char *name, struct user *user)
{
	char *text = load(folder, "group");
	char *rest = text;
	char *fields[GROUP_FIELDS];
	uint32_t id;

	while (rest && user->group_count < USER_GROUPS_MAX) {
		size_t count = next_fields(&rest, fields, GROUP_FIELDS);
		if (count == GROUP_FIELDS && lists(fields[3], name) &&
			parse_id(fields[2], &id))
			user->groups[user->group_count++] = id;
	}
	free(text);
}

static bool choose_user(const char *folder, const char *wanted,
	struct user *user, char name[NAME_BYTES])
{
	uint32_t uid;

	name[0] = '\0';
	if (find_passwd(folder, wanted, false, user, name) ||
		find_passwd(folder, wanted, true, user, name))
		return true;
	if (!parse_id(wanted, &uid))
		return false;
	user->uid = uid;
	return true;
}

static bool choose_group(const char *folder, const char *wanted, gid_t *gid)
{
	uint32_t id;

	if (find_group(folder, wanted, false, gid))
		return true;
	if (!parse_id(wanted, &id))
		return false;
	*gid = id;
	return true;
}

bool user_find(const char *folder, const char *text, struct user *user)
{
	struct user found = { .home = "/" };
	char wanted[2 * NAME_BYTES];
	char name[NAME_BYTES];

	if (strlen(text) >= sizeof(wanted))
		return false;
	(void)snprintf(wanted, sizeof(wanted), "%s", text);
	char *group = strchr(wanted, ':');
	if (group)
		*group++ = '\0';

	if (!choose_user(folder, wanted, &found, name))
		return false;
	if (group && !choose_group(folder, group, &found.gid))
		return false;
	if (!group && name[0] != '\0')
		find_groups(folder, name, &found);
	*user = found;
	return true;
}

bool user_find_host(const char *folder, const char *text, struct user *user)
{
	char wanted[NAME_BYTES];
	char translated[NAME_BYTES];
	uint32_t uid;
	uint32_t gid;

	if (strlen(text) >= sizeof(wanted))
		return false;
	(void)snprintf(wanted, sizeof(wanted), "%s", text);
	char *group = strchr(wanted, ':');
	if (!group)
		return false;
	*group++ = '\0';
	if (!parse_id(wanted, &uid) || !parse_id(group, &gid))
		return false;
	(void)snprintf(translated, sizeof(translated), "%u:%u", id_map_uid(uid),
		id_map_gid(gid));
	return user_find(folder, translated, user);
}
