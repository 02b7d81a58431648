/* SPDX-License-Identifier: MIT */
/* parsed.h - a manifest read from text, for the tests of lib/manifest. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"

/* Parse a manifest that must be right and have no warning. */
static inline struct br_manifest *parsed_manifest(const char *text)
{
	struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	br_autobuf struct br_buf shown = { 0 };

	br_manifest_parse(br_str(text), "m.yml", "/project", &manifest, &diags);
	br_diags_format(&diags, &shown);
	br_diags_done(&diags);
	assert_string_equal(br_buf_text(&shown), "");
	assert_non_null(manifest);
	return manifest;
}

/* Find a stage, which must be there. Borrowed from the manifest. */
static inline const struct br_stage *parsed_stage(
	const struct br_manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->stage_count; i++)
		if (strcmp(manifest->stages[i].name, name) == 0)
			return &manifest->stages[i];
	fail_msg("no stage %s", name);
	return NULL;
}

/* Compare texts with `A|B|`. */
static inline void assert_texts(
	const struct br_texts *texts, const char *expected)
{
	br_autobuf struct br_buf got = { 0 };

	for (size_t i = 0; i < texts->count; i++)
		br_buf_addf(&got, "%s|", texts->items[i].text);
	assert_string_equal(br_buf_text(&got), expected);
}

/* Compare words with `A|B|`. */
static inline void assert_argv(const char *const *argv, const char *expected)
{
	br_autobuf struct br_buf got = { 0 };

	assert_non_null(argv);
	for (; *argv; argv++)
		br_buf_addf(&got, "%s|", *argv);
	assert_string_equal(br_buf_text(&got), expected);
}
