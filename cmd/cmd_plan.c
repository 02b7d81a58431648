/* SPDX-License-Identifier: MIT */
/* cmd_plan.c - `buildr plan`: what would run, and why. */
#include <unistd.h>

#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/project.h"

static enum br_plan_format format_of(enum output output)
{
	if (output == OUTPUT_JSON)
		return BR_PLAN_FORMAT_JSON;
	if (output == OUTPUT_DOT)
		return BR_PLAN_FORMAT_DOT;
	if (output == OUTPUT_MERMAID)
		return BR_PLAN_FORMAT_MERMAID;
	return BR_PLAN_FORMAT_TEXT;
}

int cmd_plan(const struct options *options)
{
	br_auto(br_plan) struct br_plan *plan = NULL;
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };
	int status = project_plan(options, &plan);

	if (!plan)
		return status;
	br_plan_format(plan, format_of(options->output), &text);
	if (!br_file_write(STDOUT_FILENO, text.data, text.len, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}
	return STATUS_PASS;
}
