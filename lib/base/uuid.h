/* SPDX-License-Identifier: MIT */
/* uuid.h - identifiers of builds: UUID version 7 (RFC 9562), sorted by time. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* What the text form takes, with its NUL. */
enum { BR_UUID_TEXT_BYTES = 37 };

/*
 * Make a new version 7 UUID in lower-case text form.
 *
 * Fails with BR_ESYSTEM when the system gives no random bytes.
 */
bool br_uuid_make(
	char text[BR_UUID_TEXT_BYTES], struct br_err *err) BR_MUST_CHECK;

/* Say whether `text` is a UUID of any version in text form. */
bool br_uuid_is_valid(const char *text);
