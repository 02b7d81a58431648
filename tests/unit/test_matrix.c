/* SPDX-License-Identifier: MIT */
/*
 * The combinations that a matrix makes, in their order. Planted bugs that these
 * tests were seen to catch: the first axis fastest, an exclude that must name
 * all axes, an include that changes what an earlier one added as its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manifest/matrix.h"

/* Give the combinations of the matrix `text` as `A=1,B=x|A=2,B=x|`. */
static void expand(const char *text, struct br_buf *shown)
{
	br_autobuf struct br_buf file = { 0 };
	br_auto(br_manifest) struct br_manifest *manifest = NULL;
	struct br_diags diags = { 0 };
	struct br_arena arena = { 0 };
	struct br_vars *all = NULL;

	br_buf_addf(&file, "stages: [a]\na: {matrix: {%s}}\n", text);
	br_manifest_parse(br_buf_str(&file), "m", "/", &manifest, &diags);
	br_diags_format(&diags, shown);
	br_diags_done(&diags);
	if (!manifest)
		return;

	const struct br_matrix *matrix = &manifest->stages[0].matrix;
	size_t count = br_matrix_expand(matrix, &arena, &all);
	assert_int_equal(count, matrix->combination_count);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < all[i].count; k++)
			br_buf_addf(shown, "%s=%s%c", all[i].items[k].name,
				all[i].items[k].value,
				k + 1 < all[i].count ? ',' : '|');
	br_arena_done(&arena);
}

static void assert_expanded(const char *text, const char *expected)
{
	br_autobuf struct br_buf shown = { 0 };

	expand(text, &shown);
	assert_string_equal(br_buf_text(&shown), expected);
}

static void varies_the_last_axis_fastest(void **state)
{
	(void)state;
	assert_expanded("", "");
	assert_expanded("A: [1]", "A=1|");
	assert_expanded("B: [x, y], A: [1, 2, ''], C: [c]",
		"B=x,A=1,C=c|B=x,A=2,C=c|B=x,A=,C=c|"
		"B=y,A=1,C=c|B=y,A=2,C=c|B=y,A=,C=c|");
}

static void excludes_by_some_or_all_values(void **state)
{
	(void)state;
	assert_expanded("A: [1, 2], B: [x, y], exclude: [{A: 1, B: y}]",
		"A=1,B=x|A=2,B=x|A=2,B=y|");
	assert_expanded(
		"A: [1, 2], B: [x, y], exclude: [{B: x}, {A: 2}]", "A=1,B=y|");
	assert_expanded("A: [1], exclude: [{A: 1}], include: [{A: 2}]", "A=2|");
}

static void adds_to_combinations_what_an_include_has_more(void **state)
{
	(void)state;
	/* The example of GitHub's documentation. */
	assert_expanded("fruit: [apple, pear], animal: [cat, dog], include: [\n"
			" {color: green}, {color: pink, animal: cat},\n"
			" {fruit: apple, shape: circle}, {fruit: banana},\n"
			" {fruit: banana, animal: cat}]",
		"fruit=apple,animal=cat,color=pink,shape=circle|"
		"fruit=apple,animal=dog,color=green,shape=circle|"
		"fruit=pear,animal=cat,color=pink|"
		"fruit=pear,animal=dog,color=green|"
		"fruit=banana|fruit=banana,animal=cat|");
}

static void includes_what_no_combination_has(void **state)
{
	(void)state;
	assert_expanded("include: [{B: 1, A: 2}, {A: 2}]", "B=1,A=2|A=2|");
	assert_expanded("A: [1], B: [x], include: [{F: f, B: y, A: 1}, {A: 3}]",
		"A=1,B=x|A=1,B=y,F=f|A=3|");
	/* One that was excluded is not there any more. */
	assert_expanded("A: [1, 2], exclude: [{A: 1}], include: [{A: 1, F: f}]",
		"A=2|A=1,F=f|");
}

static void takes_a_thousand_combinations_and_no_more(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf shown = { 0 };

	(void)state;
	br_buf_add_text(&text, "A: [");
	for (unsigned i = 0; i < BR_LIMIT_MATRIX_COMBINATIONS; i++)
		br_buf_addf(&text, "%u, ", i);
	br_buf_add_text(&text, "]");
	expand(br_buf_text(&text), &shown);
	assert_int_equal(strncmp(br_buf_text(&shown), "A=0|A=1|", 8), 0);

	br_buf_clear(&shown);
	br_buf_add_text(&text, ", include: [{A: x}]");
	expand(br_buf_text(&text), &shown);
	assert_non_null(strstr(br_buf_text(&shown),
		"error: 'matrix' makes 1001 combinations; at most 1000"));
}

static void counts_more_combinations_than_a_number_holds(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf shown = { 0 };

	(void)state;
	for (unsigned i = 0; i < 65; i++)
		br_buf_addf(&text, "A%u: [1, 2], ", i);
	expand(br_buf_text(&text), &shown);
	assert_non_null(strstr(br_buf_text(&shown),
		"error: 'matrix' makes more than 18446744073709551615 "
		"combinations; at most 1000"));
}

static void refuses_more_variables_than_anybody_needs(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf shown = { 0 };

	(void)state;
	br_buf_add_text(&text, "A: [1], include: [{A: 2}");
	for (unsigned i = 1; i < BR_LIMIT_MATRIX_NAMES; i++)
		br_buf_addf(&text, ", {A: 1, B%u: 1}", i);
	br_buf_add_text(&text, ", {Z: 1}]");
	expand(br_buf_text(&text), &shown);
	assert_non_null(strstr(br_buf_text(&shown),
		"error: 'matrix' has more than 32 variables"));
}

/* What the random matrices are made of. */
enum { AXES = 3, VALUES = 3, ITEMS = 4 };

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16;
}

/* An item that names some axes, and maybe a further variable. */
static struct br_vars random_item(
	struct br_arena *arena, unsigned *seed, bool can_have_more)
{
	struct br_vars item = {
		.items = br_arena_array(arena, AXES + 1, sizeof(*item.items)),
	};

	for (unsigned i = 0; i < AXES; i++)
		if (next_random(seed) % 2)
			item.items[item.count++] = (struct br_var){
				.name = br_arena_format(arena, "A%u", i),
				.value = br_arena_format(arena, "%u",
					next_random(seed) % VALUES),
			};
	if (can_have_more && next_random(seed) % 2)
		item.items[item.count++] = (struct br_var){
			.name = "F",
			.value =
				br_arena_format(arena, "%u", next_random(seed)),
		};
	return item;
}

static struct br_matrix random_matrix(struct br_arena *arena, unsigned *seed)
{
	struct br_matrix matrix = {
		.axes = br_arena_array(arena, AXES, sizeof(*matrix.axes)),
		.axis_count = AXES,
		.include =
			br_arena_array(arena, ITEMS, sizeof(*matrix.include)),
		.include_count = next_random(seed) % ITEMS,
		.exclude =
			br_arena_array(arena, ITEMS, sizeof(*matrix.exclude)),
		.exclude_count = next_random(seed) % ITEMS,
	};

	for (unsigned i = 0; i < AXES; i++) {
		struct br_texts *values = &matrix.axes[i].values;

		matrix.axes[i].name = br_arena_format(arena, "A%u", i);
		values->count = 1 + next_random(seed) % VALUES;
		values->items = br_arena_array(
			arena, values->count, sizeof(*values->items));
		for (unsigned k = 0; k < values->count; k++)
			values->items[k].text = br_arena_format(arena, "%u", k);
	}
	for (size_t i = 0; i < matrix.include_count; i++)
		matrix.include[i] = random_item(arena, seed, true);
	for (size_t i = 0; i < matrix.exclude_count; i++)
		matrix.exclude[i] = random_item(arena, seed, false);
	return matrix;
}

/* The value of a variable among those that are not the further one. */
static const char *value_of(const struct br_vars *vars, const char *name)
{
	for (size_t i = 0; i < vars->count; i++)
		if (!strcmp(vars->items[i].name, name))
			return vars->items[i].value;
	return NULL;
}

/* Say whether `vars` has all values that `item` gives to axes. */
static bool agrees(const struct br_vars *vars, const struct br_vars *item)
{
	for (size_t i = 0; i < item->count; i++) {
		const char *value = value_of(vars, item->items[i].name);

		if (strcmp(item->items[i].name, "F") != 0 &&
			(!value || strcmp(value, item->items[i].value) != 0))
			return false;
	}
	return true;
}

/* The grid in order, as it is without knowing how it is counted through. */
static size_t expect_grid(const struct br_matrix *matrix,
	struct br_arena *arena, struct br_vars *all)
{
	size_t count = 0;
	size_t total = 1;

	for (size_t i = 0; i < AXES; i++)
		total *= matrix->axes[i].values.count;
	for (size_t cell = 0; cell < total; cell++) {
		struct br_vars vars = {
			.items = br_arena_array(
				arena, AXES + 1, sizeof(*vars.items)),
			.count = AXES,
		};
		size_t rest = cell;
		bool is_left = true;

		for (size_t i = AXES; i > 0; i--) {
			const struct br_axis *axis = &matrix->axes[i - 1];

			vars.items[i - 1].name = axis->name;
			vars.items[i - 1].value =
				axis->values.items[rest % axis->values.count]
					.text;
			rest /= axis->values.count;
		}
		for (size_t i = 0; i < matrix->exclude_count; i++)
			is_left =
				is_left && !agrees(&vars, &matrix->exclude[i]);
		if (is_left)
			all[count++] = vars;
	}
	return count;
}

static size_t expect_all(const struct br_matrix *matrix, struct br_arena *arena,
	struct br_vars *all)
{
	size_t grid_count = expect_grid(matrix, arena, all);
	size_t count = grid_count;

	for (size_t i = 0; i < matrix->include_count; i++) {
		const struct br_vars *item = &matrix->include[i];
		const char *more = value_of(item, "F");
		bool is_own = true;

		for (size_t k = 0; k < grid_count; k++) {
			if (!agrees(&all[k], item))
				continue;
			is_own = false;
			if (!more)
				continue;
			all[k].count = AXES + 1;
			all[k].items[AXES] = (struct br_var){
				.name = "F",
				.value = more,
			};
		}
		if (is_own)
			all[count++] = *item;
	}
	return count;
}

static void makes_what_a_plain_reading_of_the_rules_makes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		unsigned seed = round;
		struct br_arena arena = { 0 };
		struct br_matrix matrix = random_matrix(&arena, &seed);
		struct br_vars expected[VALUES * VALUES * VALUES + ITEMS];
		struct br_vars *all = NULL;
		size_t count = expect_all(&matrix, &arena, expected);

		assert_int_equal(
			br_matrix_expand(&matrix, &arena, &all), count);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(all[i].count, expected[i].count);
			for (size_t k = 0; k < all[i].count; k++) {
				assert_string_equal(all[i].items[k].name,
					expected[i].items[k].name);
				assert_string_equal(all[i].items[k].value,
					expected[i].items[k].value);
			}
		}
		br_arena_done(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varies_the_last_axis_fastest),
		cmocka_unit_test(excludes_by_some_or_all_values),
		cmocka_unit_test(adds_to_combinations_what_an_include_has_more),
		cmocka_unit_test(includes_what_no_combination_has),
		cmocka_unit_test(takes_a_thousand_combinations_and_no_more),
		cmocka_unit_test(counts_more_combinations_than_a_number_holds),
		cmocka_unit_test(refuses_more_variables_than_anybody_needs),
		cmocka_unit_test(makes_what_a_plain_reading_of_the_rules_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
