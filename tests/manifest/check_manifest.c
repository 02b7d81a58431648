/* SPDX-License-Identifier: MIT */
/*
 * check_manifest.c - reads manifests as buildr does, and says what is wrong.
 *
 *	check_manifest FILE...
 *
 * For each file it prints the line `<file>: ok` or `<file>: bad`, and the text
 * of the diagnostics behind it. Exit status 2 where one is bad, 3 where one
 * cannot be read at all.
 */
#include <stdio.h>
#include <string.h>

#include "manifest/manifest.h"

enum { STATUS_GOOD = 0, STATUS_BAD = 2, STATUS_UNREADABLE = 3 };

static int check(const char *path)
{
	const char *slash = strrchr(path, '/');
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	br_autobuf struct br_buf text = { 0 };
	struct br_diags diags = { 0 };
	struct br_err err = { 0 };

	if (!br_manifest_load(
		    path, slash ? slash + 1 : path, &manifest, &diags, &err)) {
		(void)printf("%s: unreadable\n%s\n", path, err.text);
		return STATUS_UNREADABLE;
	}
	br_diags_format(&diags, &text);
	br_diags_done(&diags);
	(void)printf("%s: %s\n%s", path, manifest ? "ok" : "bad",
		br_buf_text(&text));
	return manifest ? STATUS_GOOD : STATUS_BAD;
}

int main(int argc, char **argv)
{
	int worst = STATUS_GOOD;

	for (int i = 1; i < argc; i++) {
		int status = check(argv[i]);

		worst = status > worst ? status : worst;
	}
	return worst;
}
