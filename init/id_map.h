/* SPDX-License-Identifier: MIT */
/*
 * id_map.h - ids as the host numbers them, in this container's numbers.
 *
 * They differ where the container has a user namespace. The caller of a rootless
 * engine is root in its containers, as a rule.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Translate an id by the text of a uid_map(5): 0 where it has no line for it. */
uint32_t id_map_find(const char *map, uint64_t host_id);

/* Translate a user's id, by this process's map. */
uid_t id_map_uid(uint64_t host_uid);

/* Translate a group's id, by this process's map. */
gid_t id_map_gid(uint64_t host_gid);
