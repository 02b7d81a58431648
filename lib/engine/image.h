/* SPDX-License-Identifier: MIT */
/* image.h - images: is it there, and if not, fetch it. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/http.h"

/* What br_engine_image() does; see there. */
bool br_image_have(struct br_http *http, const char *name, enum br_pull pull,
	br_pull_fn *progress, void *ctx, struct br_image *image,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read the engine's description of the image that was asked for as `full_name`
 * (reference.h), whose digest is wanted.
 *
 * Ownership: br_image_done(). Fails with BR_EPROTO where it is none.
 */
bool br_image_parse(struct br_str text, const char *full_name,
	struct br_image *image, struct br_err *err) BR_MUST_CHECK;

/*
 * Read the HEALTHCHECK from Podman's own description of an image that
 * br_image_parse() has read, and which has none yet. Fails with BR_EPROTO.
 */
bool br_image_parse_health(struct br_str text, struct br_image *image,
	struct br_err *err) BR_MUST_CHECK;
