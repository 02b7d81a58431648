/* SPDX-License-Identifier: MIT */
#include "cache/difference.h"

#include <stddef.h>
#include <string.h>

#include "cache/key.h"

/* How an ingredient is called: with its name, or where it is one of its kind, without. */
struct words {
	enum br_ingredient kind;
	const char *before;
	const char *after;
};

static const struct words all_words[] = {
	{ BR_INGREDIENT_IMAGE, "its image", NULL },
	{ BR_INGREDIENT_SETTING, "its ", "" },
	{ BR_INGREDIENT_SHELL, "its shell", NULL },
	{ BR_INGREDIENT_STEP, "step ", "" },
	{ BR_INGREDIENT_VARIABLE, "variable ", "" },
	{ BR_INGREDIENT_SECRET, "secret ", "" },
	{ BR_INGREDIENT_SERVICE, "service '", "'" },
	{ BR_INGREDIENT_NEED, "stage '", "', which it needs," },
	{ BR_INGREDIENT_OUTPUT, "output '", "'" },
	{ BR_INGREDIENT_FILE, "file '", "'" },
	{ BR_INGREDIENT_LINK, "link '", "'" },
};

static const struct words *find_words(struct br_str ingredient)
{
	for (size_t i = 0; i < sizeof(all_words) / sizeof(all_words[0]); i++)
		if (br_str_is(
			    ingredient, br_ingredient_name(all_words[i].kind)))
			return &all_words[i];
	return NULL;
}

static const char *verb_of(enum br_difference_kind kind)
{
	switch (kind) {
	case BR_DIFFERENCE_ADDED:
		return " was added";
	case BR_DIFFERENCE_REMOVED:
		return " was removed";
	case BR_DIFFERENCE_CHANGED:
		return " changed";
	case BR_DIFFERENCE_MODE:
		return " has another mode";
	}
	return "";
}

void br_difference_format(
	const struct br_difference *difference, struct br_buf *text)
{
	const struct words *words = find_words(difference->ingredient);
	enum br_difference_kind kind = difference->kind;

	br_buf_add_text(text, words ? words->before : "something");
	if (words && words->after) {
		br_buf_add(text, difference->name.data, difference->name.len);
		br_buf_add_text(text, words->after);
	} else {
		/* There is always one. */
		kind = BR_DIFFERENCE_CHANGED;
	}
	br_buf_add_text(text, verb_of(kind));
}

struct summary {
	struct br_buf *text;
	size_t count;
};

static void take(void *ctx, const struct br_difference *difference)
{
	struct summary *summary = ctx;

	if (summary->count++ == 0)
		br_difference_format(difference, summary->text);
}

void br_difference_summarize(
	struct br_str before, struct br_str after, struct br_buf *text)
{
	struct summary summary = { .text = text };
	struct br_err err = { 0 };

	if (!br_record_compare(before, after, take, &summary, &err)) {
		if (summary.count == 0)
			br_buf_add_text(text, err.text);
		return;
	}
	if (summary.count > 1)
		br_buf_addf(text, " (and %zu more)", summary.count - 1);
}
