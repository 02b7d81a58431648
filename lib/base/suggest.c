/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Names longer than this are compared by their start. */
enum { NAME_MAX_LEN = 64 };

/* What an edit costs, so that a change of case costs half of one. */
enum { EDIT_COST = 2, CASE_COST = 1 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static unsigned replace_cost(char a, char b)
{
	if (a == b)
		return 0;
	if (strncasecmp(&a, &b, 1) == 0)
		return CASE_COST;
	return EDIT_COST;
}

/* Optimal string alignment: Levenshtein with swaps of neighbours. */
static unsigned distance(
	const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NAME_MAX_LEN + 1];
	unsigned *before = rows[0];
	unsigned *above = rows[1];
	unsigned *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = (unsigned)j * EDIT_COST;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i * EDIT_COST;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(above[j] + EDIT_COST,
				row[j - 1] + EDIT_COST,
				above[j - 1] +
					replace_cost(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] &&
				before[j - 2] + EDIT_COST < row[j])
				row[j] = before[j - 2] + EDIT_COST;
		}

		unsigned *free_row = before;
		before = above;
		above = row;
		row = free_row;
	}
	return above[b_len];
}

static size_t capped_len(const char *text)
{
	return strnlen(text, NAME_MAX_LEN);
}

const char *br_suggest_find(
	const char *typed, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;
	size_t typed_len = capped_len(typed);

	for (size_t i = 0; i < count; i++) {
		if (!candidates[i])
			continue;

		size_t len = capped_len(candidates[i]);
		size_t longer = len > typed_len ? len : typed_len;
		unsigned edits = distance(typed, typed_len, candidates[i], len);

		/* At most a third of the letters, but one edit always. */
		unsigned allowed = (unsigned)longer / 3 * EDIT_COST;
		if (allowed < EDIT_COST && longer > 1)
			allowed = EDIT_COST;
		if (edits <= allowed && edits < best_distance) {
			best = candidates[i];
			best_distance = edits;
		}
	}
	return best;
}
