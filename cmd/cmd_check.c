/* SPDX-License-Identifier: MIT */
/* cmd_check.c - `buildr check`: every mistake of the manifest. */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/commands.h"
#include "manifest/diag_json.h"

/* With -o json the mistakes are what was asked for, hence on stdout. */
static bool report(const struct options *options, const struct br_diags *diags,
	struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	bool is_json = options->output == OUTPUT_JSON;

	if (is_json)
		br_diags_format_json(diags, &text);
	else
		br_diags_format(diags, &text);
	return br_file_write(is_json ? STDOUT_FILENO : STDERR_FILENO,
		br_buf_text(&text), text.len, err);
}

int cmd_check(const struct options *options)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };
	int status = STATUS_PASS;

	if (!br_manifest_open(
		    options->path, options->file, &manifest, &diags, &err)) {
		complain(&err);
		return status_of(&err);
	}
	if (!report(options, &diags, &err)) {
		complain(&err);
		status = STATUS_ENVIRONMENT;
	} else if (!manifest) {
		status = STATUS_USAGE;
	} else if (options->output != OUTPUT_JSON && !options->is_quiet) {
		(void)fprintf(stderr, "%s: no mistakes\n", manifest->file);
	}
	br_diags_done(&diags);
	return status;
}
