/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Replace the end of a text that vsnprintf() had to cut by "...". */
static void mark_if_cut(char *text, size_t size, int wanted)
{
	if (wanted >= 0 && (size_t)wanted >= size)
		memcpy(text + size - sizeof("..."), "...", sizeof("..."));
}

BR_PRINTF(2, 0)
static void set_text(struct br_err *err, const char *fmt, va_list args)
{
	int wanted = vsnprintf(err->text, sizeof(err->text), fmt, args);

	mark_if_cut(err->text, sizeof(err->text), wanted);
}

bool br_fail(struct br_err *err, enum br_code code, const char *fmt, ...)
{
	assert(code != BR_OK);

	va_list args;
	va_start(args, fmt);
	set_text(err, fmt, args);
	va_end(args);
	err->code = code;
	return false;
}

bool br_fail_errno(struct br_err *err, const char *fmt, ...)
{
	int saved = errno;
	struct br_err what;

	va_list args;
	va_start(args, fmt);
	set_text(&what, fmt, args);
	va_end(args);
	return br_fail(err, BR_ESYSTEM, "%s: %s", what.text, strerror(saved));
}

bool br_wrap(struct br_err *err, const char *fmt, ...)
{
	assert(err->code != BR_OK);

	struct br_err context;

	va_list args;
	va_start(args, fmt);
	set_text(&context, fmt, args);
	va_end(args);

	struct br_err cause = *err;
	return br_fail(err, cause.code, "%s: %s", context.text, cause.text);
}
