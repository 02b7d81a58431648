/* SPDX-License-Identifier: MIT */
/*
 * Whatever a manifest is, it is read or has a mistake, never both nor neither;
 * the mistakes are sorted, and reading it again says the same. The stages that one
 * needs are there, and its matrix makes as many combinations as was counted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "manifest/manifest.h"
#include "manifest/matrix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_diags(const struct br_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct br_diag *diag = &diags->items[i];
		const struct br_place *place = &diag->place;

		if (!br_utf8_is_valid(diag->text, strlen(diag->text)) ||
			strpbrk(diag->text, "\n\r\x1b"))
			abort();
		if (diag->source_line &&
			diag->caret > strlen(diag->source_line))
			abort();
		if (i > 0 && place->line < diags->items[i - 1].place.line)
			abort();
	}
}

/* Steps are where their `-` is, or where they begin themselves. */
static void check_steps(struct br_str text, const struct br_stage *stage)
{
	struct br_lines lines = { .text = br_lines_skip_bom(text) };

	for (size_t i = 0; stage && i < stage->step_count; i++) {
		const struct br_place *place = &stage->steps[i].place;
		struct br_str line = br_lines_find(&lines, place->line);

		if (place->column == 0 ||
			place->column > br_lines_count_chars(line) + 1)
			abort();
		if (!stage->steps[i].text == !stage->steps[i].argv)
			abort();
	}
}

static void check_matrix(const struct br_matrix *matrix)
{
	struct br_arena arena = { 0 };
	struct br_vars *all = NULL;
	size_t count = br_matrix_expand(matrix, &arena, &all);

	if (count != matrix->combination_count ||
		count > BR_LIMIT_MATRIX_COMBINATIONS)
		abort();
	for (size_t i = 0; i < count; i++)
		if (all[i].count == 0 || !all[i].items[0].value)
			abort();
	br_arena_done(&arena);
}

static void check_graph(
	const struct br_manifest *manifest, const struct br_stage *stage)
{
	for (size_t i = 0; i < stage->need_count; i++)
		if (stage->need_indexes[i] >= manifest->stage_count ||
			&manifest->stages[stage->need_indexes[i]] == stage)
			abort();
	for (size_t i = 0; i < stage->services.count; i++)
		if (!stage->services.items[i].image ||
			!stage->services.items[i].alias)
			abort();
	if (stage->retry.max == 0 && stage->retry.has_conditions)
		abort();
	check_matrix(&stage->matrix);
}

static void read_once(struct br_str text, struct br_buf *shown)
{
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };

	br_manifest_parse(text, "m.yml", "/project", &manifest, &diags);
	if (!manifest == (diags.error_count == 0))
		abort();
	check_diags(&diags);
	for (size_t i = 0; manifest && i < manifest->stage_count; i++) {
		check_steps(text, &manifest->stages[i]);
		check_graph(manifest, &manifest->stages[i]);
	}
	for (size_t i = 0; manifest && i < manifest->order_count; i++)
		if (manifest->order[i] >= manifest->stage_count)
			abort();
	if (manifest)
		check_steps(text, manifest->prepare);
	br_diags_format(&diags, shown);
	br_diags_done(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct br_str text = { .data = (const char *)data, .len = size };
	br_autobuf struct br_buf first = { 0 };
	br_autobuf struct br_buf second = { 0 };

	read_once(text, &first);
	read_once(text, &second);
	if (!br_str_equal(br_buf_str(&first), br_buf_str(&second)))
		abort();
	return 0;
}
