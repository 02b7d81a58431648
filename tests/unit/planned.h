/* SPDX-License-Identifier: MIT */
/* planned.h - a plan made from manifest text, for the tests of lib/plan. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"
#include "plan/plan.h"

/* Starts out all zero; set the options, then planned_build(). */
struct planned {
	struct br_plan_options options;
	/* Where the project is; NULL: a folder that is not there. */
	const char *project_dir;
	struct br_manifest *manifest;
	struct br_diags diags;
	struct br_plan *plan;
	struct br_err err;
};

/* Parse `text`, which must be right, and plan it. Gives what planning gives. */
static inline bool planned_build(struct planned *planned, const char *text)
{
	br_manifest_parse(br_str(text), ".buildr.yml",
		planned->project_dir ? planned->project_dir : "/nowhere/at/all",
		&planned->manifest, &planned->diags);
	if (!planned->manifest) {
		br_autobuf struct br_buf mistakes = { 0 };

		br_diags_format(&planned->diags, &mistakes);
		print_error("%s\n", br_buf_text(&mistakes));
	}
	assert_non_null(planned->manifest);
	return br_plan_build(planned->manifest, &planned->options,
		&planned->diags, &planned->plan, &planned->err);
}

/* The same where it must work. */
static inline void planned_must(struct planned *planned, const char *text)
{
	bool is_built = planned_build(planned, text);

	if (!is_built || !planned->plan) {
		br_autobuf struct br_buf mistakes = { 0 };

		br_diags_format(&planned->diags, &mistakes);
		print_error(
			"%s%s\n", planned->err.text, br_buf_text(&mistakes));
	}
	assert_true(is_built);
	assert_non_null(planned->plan);
}

static inline void planned_done(struct planned *planned)
{
	br_plan_free(planned->plan);
	br_manifest_free(planned->manifest);
	br_diags_done(&planned->diags);
	*planned = (struct planned){ 0 };
}

static inline const struct br_plan_stage *planned_stage(
	const struct planned *planned, const char *name)
{
	for (size_t i = 0; i < planned->plan->stage_count; i++)
		if (strcmp(planned->plan->stages[i].name, name) == 0)
			return &planned->plan->stages[i];
	fail_msg("no stage %s", name);
	return NULL;
}

/* The value of a variable in a stage; NULL: not set. Checks that it is once. */
static inline const char *planned_value(
	const struct planned *planned, const char *stage, const char *name)
{
	const char *const *all = planned_stage(planned, stage)->environment;
	const char *value = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; all[i]; i++)
		if (strncmp(all[i], name, len) == 0 && all[i][len] == '=') {
			assert_null(value);
			value = all[i] + len + 1;
		}
	return value;
}

/* Check that the plan has just this warning. */
static inline void planned_assert_warning(
	const struct planned *planned, const char *text)
{
	assert_non_null(planned->plan->warnings[0]);
	assert_string_equal(planned->plan->warnings[0], text);
	assert_null(planned->plan->warnings[1]);
}

/* Check that planning found one mistake, at `line`, and gave no plan. */
static inline void planned_assert_mistake(
	const struct planned *planned, unsigned line, const char *text)
{
	assert_null(planned->plan);
	assert_int_equal(planned->diags.error_count, 1);
	for (size_t i = 0; i < planned->diags.count; i++) {
		const struct br_diag *diag = &planned->diags.items[i];

		if (diag->severity != BR_SEVERITY_ERROR)
			continue;
		assert_string_equal(diag->text, text);
		assert_int_equal(diag->place.line, line);
	}
}
