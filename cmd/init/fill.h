/* SPDX-License-Identifier: MIT */
/*
 * fill.h - makes a manifest of templates.
 *
 * A template (cmd/init/templates) is the manifest as it will be, but that `@name@` is replaced by
 * what is known under the name, and that lines from `@if name@` to `@end@` are only there
 * where something is. What is behind `@beside@` is for a project of more than one kind:
 * the first one's template makes the manifest, and of each other one this part, which is
 * one stage of the template's name, is added. `@more@` is where the list of stages has
 * these.
 */
#pragma once

#include "base/buf.h"
#include "cmd/init/kinds.h"

/*
 * Add the manifest for `count` kinds, at least one, of the project in `folder`, and to
 * `notes` lines on what of it could not be used.
 */
void fill_manifest(const char *folder, const struct kind *const *found,
	size_t count, struct br_buf *manifest, struct br_buf *notes);
