/* SPDX-License-Identifier: MIT */
#include "cmd/rerun/rerun_say.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"

/* A file's name may hold anything, and this goes to a terminal. */
static void make_harmless(char *text)
{
	for (; text && *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			*text = '?';
}

/* Of files that changed. */
enum { NAMED_MOST = 3 };

void rerun_say(const struct options *options, const char *fmt, ...)
{
	va_list args;

	if (options->is_quiet || options->output == OUTPUT_QUIET)
		return;
	(void)fputs("buildr: ", stderr);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

void rerun_say_files(const struct options *options,
	const struct br_paths *paths, const char *what)
{
	br_autobuf struct br_buf names = { 0 };

	for (size_t i = 0; i < paths->count && i < NAMED_MOST; i++)
		br_buf_addf(&names, "%s%s", i > 0 ? ", " : "", paths->items[i]);
	if (paths->count > NAMED_MOST)
		br_buf_addf(&names, " and %zu more", paths->count - NAMED_MOST);
	if (paths->count == 0)
		br_buf_add_text(&names, "many files");
	make_harmless(names.data);
	rerun_say(options, "%s %s", br_buf_text(&names), what);
}
