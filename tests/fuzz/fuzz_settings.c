/* SPDX-License-Identifier: MIT */
/*
 * Whatever a file of options is: what is read of it, written again one option a line, is
 * read as the same options.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clean.h"
#include "base/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Write an option as the file has it; a name that is none has blanks or a `=` in it. */
static bool write_option(
	void *ctx, const char *name, const char *value, struct br_err *err)
{
	struct br_buf *text = ctx;

	(void)err;
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz-")] != '\0')
		return br_fail(err, BR_EINPUT, "there is no option '%s'", name);
	br_buf_addf(
		text, "%s%s%s\n", name, value ? " = " : "", value ? value : "");
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct br_str text = { .data = (const char *)data, .len = size };
	br_autobuf struct br_buf first = { 0 };
	br_autobuf struct br_buf second = { 0 };
	struct br_err err = { 0 };
	bool is_good = br_settings_parse("f", text, write_option, &first, &err);

	if (!is_good && err.code != BR_EINPUT)
		abort();
	if (!br_settings_parse(
		    "f", br_buf_str(&first), write_option, &second, &err) ||
		!br_str_equal(br_buf_str(&first), br_buf_str(&second)))
		abort();
	return 0;
}
