/* SPDX-License-Identifier: MIT */
/* diagnose.h - why the engine could not be spoken to, and what to do about it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "engine/address.h"
#include "http/curl.h"

/*
 * Make a failure of a transfer over `easy` to `address` that ended with `result`.
 * Returns false.
 *
 * Fills `err` with BR_EUNAVAIL and, where there is one, the remedy.
 */
bool br_diagnose(const struct br_curl *curl, CURL *easy,
	const struct br_address *address, CURLcode result, struct br_err *err);
