/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c - `buildr doctor`: what is there, and what to do where it is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json_text.h"
#include "cmd/commands.h"
#include "cmd/doctor/doctor.h"

BR_PRINTF(5, 0)
static void add_line(struct doctor *doctor, const char *name, bool is_ok,
	const char *mend, const char *fmt, va_list args)
{
	char text[1024];

	(void)vsnprintf(text, sizeof(text), fmt, args);
	/* What others have said may have lines, or move a terminal's cursor. */
	for (char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == '\177')
			*at = ' ';
	doctor->lines = br_grow(doctor->lines, doctor->count, &doctor->capacity,
		sizeof(*doctor->lines));
	doctor->lines[doctor->count++] = (struct doctor_line){
		.name = name,
		.is_ok = is_ok,
		.text = br_arena_strdup(&doctor->arena, text),
		.mend = mend ? br_arena_strdup(&doctor->arena, mend) : NULL,
	};
}

void doctor_ok(struct doctor *doctor, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(doctor, name, true, NULL, fmt, args);
	va_end(args);
}

void doctor_wrong(struct doctor *doctor, const char *name, const char *mend,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(doctor, name, false, mend, fmt, args);
	va_end(args);
}

static bool is_well(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++)
		if (!doctor->lines[i].is_ok)
			return false;
	return true;
}

static void format_text(const struct doctor *doctor, struct br_buf *text)
{
	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_line *line = &doctor->lines[i];

		if (line->is_ok && doctor->options->is_quiet)
			continue;
		br_buf_addf(text, "%-5s  %-8s  %s\n",
			line->is_ok ? "ok" : "WRONG", line->name, line->text);
		if (line->mend)
			br_buf_addf(text, "%-5s  %-8s  %s\n", "",
				"to mend:", line->mend);
	}
}

static void add_member(struct br_buf *text, const char *name, const char *value)
{
	br_buf_addf(text, ",\"%s\":", name);
	br_json_add_string(text, br_str(value));
}

static void format_json(const struct doctor *doctor, struct br_buf *text)
{
	br_buf_addf(text, "{\"v\":1,\"ok\":%s,\"lines\":[",
		is_well(doctor) ? "true" : "false");
	for (size_t i = 0; i < doctor->count; i++) {
		const struct doctor_line *line = &doctor->lines[i];

		br_buf_addf(text, "%s{\"ok\":%s", i > 0 ? "," : "",
			line->is_ok ? "true" : "false");
		add_member(text, "name", line->name);
		add_member(text, "text", line->text);
		if (line->mend)
			add_member(text, "mend", line->mend);
		br_buf_add_char(text, '}');
	}
	br_buf_add_text(text, "]}\n");
}

static int report(const struct doctor *doctor)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	if (doctor->options->output == OUTPUT_JSON)
		format_json(doctor, &text);
	else
		format_text(doctor, &text);
	if (!br_file_write(STDOUT_FILENO, br_buf_text(&text), text.len, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}
	return is_well(doctor) ? STATUS_PASS : STATUS_ENVIRONMENT;
}

int cmd_doctor(const struct options *options, char **argv)
{
	struct doctor doctor = { .options = options, .argv = argv };

	doctor_machine(&doctor);
	doctor_engine(&doctor);
	doctor_registries(&doctor);
	doctor_broker(&doctor);

	int status = report(&doctor);
	free(doctor.lines);
	br_arena_done(&doctor.arena);
	return status;
}
