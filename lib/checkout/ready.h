/* SPDX-License-Identifier: MIT */
/*
 * ready.h - what a tree got of a mirror last, kept there for the next job.
 *
 * Packing the objects of one commit starts a process, which for a small repository
 * takes longer than all else that is done for a tree. So the packs are kept, those of
 * one commit for each mirror, and copied: hard links would let a build write into them.
 * The caller has the mirror's lock.
 */
#pragma once

#include <stdbool.h>

/*
 * Copy the packs that are kept as `key` in the mirror into the folder `packs`. Gives
 * false where there are none; the folder is as empty as before then.
 */
bool br_ready_take(const char *mirror, const char *key, const char *packs);

/*
 * Keep copies of the packs in the folder `packs` as `key`, instead of what was kept
 * before. Limits: packs of more than 4 MiB are not, and what cannot be kept is not.
 */
void br_ready_keep(const char *mirror, const char *key, const char *packs);
