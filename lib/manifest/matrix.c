/* SPDX-License-Identifier: MIT */
#include "manifest/matrix.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"

/* Where a value is among those of its axis. */
struct pick {
	size_t axis;
	/* Past the last one: the axis has no such value. */
	size_t value;
};

/* The axes that an item of `include` or `exclude` names. */
struct picks {
	struct pick *items;
	size_t count;
};

/* All combinations of the axes as numbers, the last axis being the units. */
struct grid {
	const struct br_matrix *matrix;
	/* How far the next value of each axis is. */
	size_t *strides;
	/* Those that are not excluded, in order. */
	size_t *cells;
	size_t cell_count;
	/* What is only needed while this is built. */
	struct br_arena *scratch;
};

static size_t find_axis(const struct br_matrix *matrix, const char *name)
{
	size_t axis = 0;

	while (axis < matrix->axis_count &&
		strcmp(matrix->axes[axis].name, name) != 0)
		axis++;
	return axis;
}

static size_t find_value(const struct br_axis *axis, const char *text)
{
	size_t value = 0;

	while (value < axis->values.count &&
		strcmp(axis->values.items[value].text, text) != 0)
		value++;
	return value;
}

static struct picks find_picks(
	const struct grid *grid, const struct br_vars *item)
{
	const struct br_matrix *matrix = grid->matrix;
	struct picks picks = {
		.items = br_arena_array(
			grid->scratch, item->count, sizeof(*picks.items)),
	};

	for (size_t i = 0; i < item->count; i++) {
		size_t axis = find_axis(matrix, item->items[i].name);

		if (axis == matrix->axis_count)
			continue;
		picks.items[picks.count++] = (struct pick){
			.axis = axis,
			.value = find_value(
				&matrix->axes[axis], item->items[i].value),
		};
	}
	return picks;
}

static size_t value_at(const struct grid *grid, size_t cell, size_t axis)
{
	return cell / grid->strides[axis] %
		grid->matrix->axes[axis].values.count;
}

static bool has_picks(
	const struct grid *grid, size_t cell, const struct picks *picks)
{
	for (size_t i = 0; i < picks->count; i++)
		if (value_at(grid, cell, picks->items[i].axis) !=
			picks->items[i].value)
			return false;
	return true;
}

static void exclude(struct grid *grid, const struct br_vars *item)
{
	struct picks picks = find_picks(grid, item);
	size_t left = 0;

	for (size_t i = 0; i < grid->cell_count; i++)
		if (!has_picks(grid, grid->cells[i], &picks))
			grid->cells[left++] = grid->cells[i];
	grid->cell_count = left;
}

static struct grid make_grid(
	const struct br_matrix *matrix, struct br_arena *scratch)
{
	struct grid grid = {
		.matrix = matrix,
		.strides = br_arena_array(
			scratch, matrix->axis_count, sizeof(*grid.strides)),
		.cell_count = matrix->axis_count > 0,
		.scratch = scratch,
	};

	for (size_t i = matrix->axis_count; i > 0; i--) {
		grid.strides[i - 1] = grid.cell_count;
		grid.cell_count *= matrix->axes[i - 1].values.count;
		assert(grid.cell_count <= BR_LIMIT_MATRIX_COMBINATIONS);
	}
	grid.cells =
		br_arena_array(scratch, grid.cell_count, sizeof(*grid.cells));
	for (size_t i = 0; i < grid.cell_count; i++)
		grid.cells[i] = i;
	for (size_t i = 0; i < matrix->exclude_count; i++)
		exclude(&grid, &matrix->exclude[i]);
	return grid;
}

static const struct br_var *find_var(
	const struct br_vars *vars, const char *name)
{
	for (size_t i = 0; i < vars->count; i++)
		if (!strcmp(vars->items[i].name, name))
			return &vars->items[i];
	return NULL;
}

/* Put a variable into `vars`, which has room for it, or in place of its old one. */
static void set_var(struct br_vars *vars, const struct br_var *var)
{
	size_t i = 0;

	while (i < vars->count && strcmp(vars->items[i].name, var->name) != 0)
		i++;
	vars->items[i] = *var;
	vars->count += i == vars->count;
}

/* Put in what an item has besides values of axes. */
static void set_further(const struct br_matrix *matrix,
	const struct br_vars *item, struct br_vars *vars)
{
	for (size_t i = 0; i < item->count; i++)
		if (find_axis(matrix, item->items[i].name) ==
			matrix->axis_count)
			set_var(vars, &item->items[i]);
}

/* Count the names that only `include` has: a combination can get so many. */
static size_t count_further(const struct grid *grid)
{
	const struct br_matrix *matrix = grid->matrix;
	struct br_vars names = { 0 };
	size_t all = 0;

	for (size_t i = 0; i < matrix->include_count; i++)
		all += matrix->include[i].count;
	names.items = br_arena_array(grid->scratch, all, sizeof(*names.items));
	for (size_t i = 0; i < matrix->include_count; i++)
		set_further(matrix, &matrix->include[i], &names);
	return names.count;
}

/* A combination of values of the axes, with room for `further_count` more. */
static struct br_vars make_cell(const struct grid *grid, size_t cell,
	size_t further_count, struct br_arena *arena)
{
	const struct br_matrix *matrix = grid->matrix;
	struct br_vars vars = {
		.items = br_arena_array(arena,
			matrix->axis_count + further_count,
			sizeof(*vars.items)),
		.count = matrix->axis_count,
	};

	for (size_t i = 0; i < matrix->axis_count; i++) {
		const struct br_axis *axis = &matrix->axes[i];
		const struct br_text *value =
			&axis->values.items[value_at(grid, cell, i)];

		vars.items[i] = (struct br_var){
			.name = axis->name,
			.value = value->text,
			.place = value->place,
		};
	}
	return vars;
}

/* An item as a combination of its own: the axes that it has, then the rest. */
static struct br_vars make_own(const struct br_matrix *matrix,
	const struct br_vars *item, struct br_arena *arena)
{
	struct br_vars vars = {
		.items =
			br_arena_array(arena, item->count, sizeof(*vars.items)),
	};

	for (size_t i = 0; i < matrix->axis_count; i++) {
		const struct br_var *var = find_var(item, matrix->axes[i].name);

		if (var)
			vars.items[vars.count++] = *var;
	}
	set_further(matrix, item, &vars);
	return vars;
}

/* Add an item's further variables where it fits; false: it fits nowhere. */
static bool add_to_cells(const struct grid *grid, const struct br_vars *item,
	struct br_vars *combinations)
{
	struct picks picks = find_picks(grid, item);
	bool has_found = false;

	for (size_t i = 0; i < grid->cell_count; i++) {
		if (!has_picks(grid, grid->cells[i], &picks))
			continue;
		set_further(grid->matrix, item, &combinations[i]);
		has_found = true;
	}
	return has_found;
}

size_t br_matrix_expand(const struct br_matrix *matrix, struct br_arena *arena,
	struct br_vars **combinations)
{
	struct br_arena scratch = { 0 };
	struct grid grid = make_grid(matrix, &scratch);
	size_t further_count = count_further(&grid);
	size_t count = 0;
	struct br_vars *all = br_arena_array(
		arena, grid.cell_count + matrix->include_count, sizeof(*all));

	for (; count < grid.cell_count; count++)
		all[count] = make_cell(
			&grid, grid.cells[count], further_count, arena);
	for (size_t i = 0; i < matrix->include_count; i++)
		if (!add_to_cells(&grid, &matrix->include[i], all))
			all[count++] =
				make_own(matrix, &matrix->include[i], arena);
	br_arena_done(&scratch);
	*combinations = all;
	return count;
}

/* Say whether an item changes nothing. */
static bool is_idle(const struct grid *grid, const struct br_vars *item)
{
	struct picks picks = find_picks(grid, item);

	if (picks.count < item->count)
		return false;
	for (size_t i = 0; i < grid->cell_count; i++)
		if (has_picks(grid, grid->cells[i], &picks))
			return true;
	return false;
}

size_t br_matrix_find_idle(const struct br_matrix *matrix)
{
	struct br_arena scratch = { 0 };
	struct grid grid = make_grid(matrix, &scratch);
	size_t i = 0;

	while (i < matrix->include_count &&
		!is_idle(&grid, &matrix->include[i]))
		i++;
	br_arena_done(&scratch);
	return i;
}
