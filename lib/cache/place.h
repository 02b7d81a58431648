/* SPDX-License-Identifier: MIT */
/*
 * place.h - moving outputs to where they belong, from a folder of our own.
 *
 * That folder is at the top of the project, so that a move is a rename: a crash leaves
 * each file old or new, and the folder, which the next one removes. It is locked by who
 * uses it. Parents are opened so that no link is followed (beneath.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct br_listed;

/* Starts out all zero. */
struct br_place_folder {
	int root_fd;
	/* Where files are made, named by their number: `0`, `1`. */
	int fd;
	char name[40];
	/* The parent of the last output: the next is mostly in it too. */
	char *parent;
	int parent_fd;
};

/*
 * Make the folder in the project `root_fd`, and remove those that nobody uses.
 *
 * The caller ends with br_place_close(). Fails with BR_ESYSTEM.
 */
bool br_place_open(int root_fd, struct br_place_folder *folder,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Put an output in its place, and make the folders above it: a file is the one with
 * this number; a link and an empty folder, which gets `mode`, are made here.
 *
 * Fails with BR_ESYSTEM: also where a folder is in the way of a file or a link, or
 * something else in that of a folder.
 */
bool br_place_output(struct br_place_folder *folder, size_t number,
	const struct br_listed *listed, uint32_t mode,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Remove the folders that crashes have left in the project `root_fd`, and say whether there
 * are none any more: one that another build uses stays.
 */
bool br_place_sweep(int root_fd);

/* Remove the folder, and what is still in it. */
void br_place_close(struct br_place_folder *folder);
