/* SPDX-License-Identifier: MIT */
#include "init/id_map.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

uint32_t id_map_find(const char *map, uint64_t host_id)
{
	uint64_t inside;
	uint64_t outside;
	uint64_t count;
	int used = 0;

	/* Lines of three numbers: first inside, first outside, how many. */
	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	while (sscanf(map, "%" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &inside,
		       &outside, &count, &used) == 3) {
		if (host_id >= outside && host_id - outside < count)
			return (uint32_t)(inside + (host_id - outside));
		map += used;
	}
	return 0;
}

static uint32_t translate(const char *path, uint64_t host_id)
{
	/* The kernel takes 340 lines; 4 KiB hold all that engines write. */
	char map[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return (uint32_t)host_id;

	ssize_t n = read(fd, map, sizeof(map) - 1);
	(void)close(fd);
	if (n <= 0)
		return (uint32_t)host_id;
	map[n] = '\0';
	return id_map_find(map, host_id);
}

uid_t id_map_uid(uint64_t host_uid)
{
	return translate("/proc/self/uid_map", host_uid);
}

gid_t id_map_gid(uint64_t host_gid)
{
	return translate("/proc/self/gid_map", host_gid);
}
