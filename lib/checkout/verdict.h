/* SPDX-License-Identifier: MIT */
/* verdict.h - what git's complaints mean. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * Fill `err` from what git wrote to stderr (in English): the line that tells most, and
 * a code; BR_EPROTO where the message is not a known one. Control characters and logins
 * of URLs are taken out. Returns false.
 */
bool br_verdict(const char *complaint, struct br_err *err);
