/* SPDX-License-Identifier: MIT */
/*
 * front.h - what views have in common that stand in front of another one, and whose own
 * part is only what they make of each event.
 */
#pragma once

#include "view/private.h"

/* Embedded first in each of them, which owns nothing else. */
struct br_front {
	struct br_view view;
	/* Owned. */
	struct br_sink *inner;
};

/*
 * Hand on to `inner` all but events: those are the business of `handle`, which the caller
 * fills in.
 *
 * Ownership: takes `inner`. br_view_free() frees both, as one allocation of br_alloc().
 */
void br_front_init(struct br_front *front, struct br_sink *inner);
