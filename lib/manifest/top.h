/* SPDX-License-Identifier: MIT */
/* top.h - the whole manifest from its root node. */
#pragma once

#include "manifest/read.h"

/*
 * Read `root` into the reader's manifest, whose strings, `file` and
 * `project_dir` are set. All mistakes go to the reader's diagnostics.
 */
void br_top_read(struct br_reader *reader, const struct br_node *root);
