/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "manifest/matrix.h"
#include "manifest/matrix_read.h"

static void report_count(struct br_reader *reader,
	const struct br_matrix *matrix, uint64_t count)
{
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, matrix->place, NULL,
		"'matrix' makes %s%" PRIu64 " combinations; at most %d",
		count == UINT64_MAX ? "more than " : "", count,
		BR_LIMIT_MATRIX_COMBINATIONS);
}

/* Say whether there are few enough combinations before `exclude`. */
static bool check_product(
	struct br_reader *reader, const struct br_matrix *matrix)
{
	uint64_t count = 1;

	for (size_t i = 0; i < matrix->axis_count; i++)
		if (__builtin_mul_overflow(
			    count, matrix->axes[i].values.count, &count)) {
			count = UINT64_MAX;
			break;
		}
	if (count > BR_LIMIT_MATRIX_COMBINATIONS)
		report_count(reader, matrix, count);
	return count <= BR_LIMIT_MATRIX_COMBINATIONS;
}

/* Say whether a combination can have few enough variables. */
static bool check_names(
	struct br_reader *reader, const struct br_matrix *matrix)
{
	const char *names[BR_LIMIT_MATRIX_NAMES];
	size_t count = 0;

	for (size_t i = 0; i < matrix->axis_count; i++) {
		if (count == BR_LIMIT_MATRIX_NAMES)
			goto out;
		names[count++] = matrix->axes[i].name;
	}
	for (size_t i = 0; i < matrix->include_count; i++)
		for (size_t k = 0; k < matrix->include[i].count; k++) {
			const char *name = matrix->include[i].items[k].name;
			size_t at = 0;

			while (at < count && strcmp(names[at], name) != 0)
				at++;
			if (at == BR_LIMIT_MATRIX_NAMES)
				goto out;
			names[at] = name;
			count += at == count;
		}
	return true;
out:
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, matrix->place, NULL,
		"'matrix' has more than %d variables", BR_LIMIT_MATRIX_NAMES);
	return false;
}

static const struct br_axis *find_axis(
	const struct br_matrix *matrix, const char *name)
{
	for (size_t i = 0; i < matrix->axis_count; i++)
		if (!strcmp(matrix->axes[i].name, name))
			return &matrix->axes[i];
	return NULL;
}

/* Report that `typed` is none of `count` texts, with the nearest. */
static void report_unknown(struct br_reader *reader,
	const struct br_var *excluded, const char *typed,
	const char *const *known, size_t count)
{
	const char *near = br_read_may_suggest(reader)
		? br_suggest_find(typed, known, count)
		: NULL;
	br_autofree char *help =
		near ? br_format("did you mean '%s'?", near) : NULL;

	if (typed == excluded->name)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, excluded->place,
			help,
			"'exclude' names '%s', which is no key of 'matrix'",
			typed);
	else
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, excluded->place,
			help, "'exclude' names '%s', which is no value of '%s'",
			typed, excluded->name);
}

static void check_excluded(struct br_reader *reader,
	const struct br_matrix *matrix, const struct br_var *excluded)
{
	const struct br_axis *axis = find_axis(matrix, excluded->name);
	size_t count = axis ? axis->values.count : matrix->axis_count;
	br_autofree const char **known = NULL;

	for (size_t i = 0; axis && i < count; i++)
		if (!strcmp(axis->values.items[i].text, excluded->value))
			return;
	known = br_alloc_array(count, sizeof(*known));
	for (size_t i = 0; i < count; i++)
		known[i] = axis ? axis->values.items[i].text
				: matrix->axes[i].name;
	report_unknown(reader, excluded,
		axis ? excluded->value : excluded->name, known, count);
}

static bool check_exclude(
	struct br_reader *reader, const struct br_matrix *matrix)
{
	size_t errors = reader->diags->error_count;

	for (size_t i = 0; i < matrix->exclude_count; i++)
		for (size_t k = 0; k < matrix->exclude[i].count; k++)
			check_excluded(
				reader, matrix, &matrix->exclude[i].items[k]);
	return reader->diags->error_count == errors;
}

/* A combination as one text, by which equal ones are found. */
struct keyed {
	char *key;
	const struct br_vars *vars;
};

static int compare_vars(const void *a, const void *b)
{
	const struct br_var *left = a;
	const struct br_var *right = b;

	return strcmp(left->name, right->name);
}

/* No name or value has a line feed. */
static char *make_key(const struct br_vars *vars)
{
	br_autobuf struct br_buf key = { 0 };
	br_autofree struct br_var *sorted =
		br_alloc_array(vars->count, sizeof(*sorted));

	for (size_t i = 0; i < vars->count; i++)
		sorted[i] = vars->items[i];
	qsort(sorted, vars->count, sizeof(*sorted), compare_vars);
	for (size_t i = 0; i < vars->count; i++)
		br_buf_addf(&key, "%s=%s\n", sorted[i].name, sorted[i].value);
	return br_buf_take(&key);
}

/* By text; of the same text, the one that comes first goes first. */
static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *left = a;
	const struct keyed *right = b;
	int order = strcmp(left->key, right->key);

	if (order != 0)
		return order;
	return left->vars < right->vars ? -1 : left->vars > right->vars;
}

static void check_repeated(struct br_reader *reader,
	const struct br_vars *combinations, size_t count)
{
	br_autofree struct keyed *sorted =
		br_alloc_array(count, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = (struct keyed){
			.key = make_key(&combinations[i]),
			.vars = &combinations[i],
		};
	qsort(sorted, count, sizeof(*sorted), compare_keyed);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(sorted[i].key, sorted[i - 1].key))
			br_diags_add(reader->diags, BR_SEVERITY_ERROR,
				sorted[i].vars->items[0].place, NULL,
				"this combination of 'include' stands here "
				"again; it is in line %u too",
				sorted[i - 1].vars->items[0].place.line);
	for (size_t i = 0; i < count; i++)
		free(sorted[i].key);
}

static void check_idle(struct br_reader *reader, const struct br_matrix *matrix)
{
	size_t idle = br_matrix_find_idle(matrix);

	if (idle < matrix->include_count)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR,
			matrix->include[idle].items[0].place,
			"a further variable here would be added to it",
			"'include' names a combination that 'matrix' has, and "
			"adds nothing to it");
}

void br_matrix_check(struct br_reader *reader, struct br_matrix *matrix)
{
	struct br_arena scratch = { 0 };
	struct br_vars *combinations = NULL;

	if (!check_product(reader, matrix) || !check_names(reader, matrix) ||
		!check_exclude(reader, matrix))
		return;
	matrix->combination_count =
		br_matrix_expand(matrix, &scratch, &combinations);
	if (matrix->combination_count > BR_LIMIT_MATRIX_COMBINATIONS)
		report_count(reader, matrix, matrix->combination_count);
	else if (matrix->combination_count == 0 && matrix->axis_count > 0)
		br_read_fail(reader, matrix->place, NULL,
			"no combination is left: 'exclude' takes all of them "
			"away");
	check_idle(reader, matrix);
	check_repeated(reader, combinations, matrix->combination_count);
	br_arena_done(&scratch);
}
