/* SPDX-License-Identifier: MIT */
/* diary.h - what the agent itself has to say, as lines on stderr. */
#pragma once

#include "base/attr.h"

enum diary_form {
	/* The time, and key=value; a text with blanks or signs is quoted. */
	DIARY_TEXT,
	/* A JSON object. */
	DIARY_JSON,
};

/*
 * Write a line: the time, `event`, and pairs of a key and a text, up to a NULL. An
 * empty or NULL text is left out with its key.
 */
void diary(enum diary_form form, const char *event, ...)
	__attribute__((sentinel));
