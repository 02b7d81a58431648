/* SPDX-License-Identifier: MIT */
#include "view/labels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "view/words.h"

/* Of a name that is cut, and one column for the ellipsis between them. */
enum {
	HEAD_COLUMNS = 12,
	TAIL_COLUMNS = BR_LABEL_COLUMNS - HEAD_COLUMNS - 1,
};

/* Give where the character number `columns` begins. */
static const char *skip_columns(const char *text, size_t columns)
{
	while (columns > 0 && *text) {
		text++;
		while (((unsigned char)*text & 0xc0) == 0x80)
			text++;
		columns--;
	}
	return text;
}

void br_labels_add_short(struct br_buf *text, const char *stage)
{
	br_autobuf struct br_buf whole = { 0 };
	const char *name;
	size_t columns;

	/* First, since it may be longer then, and is UTF-8. */
	br_words_add_safe(&whole, br_str(stage));
	name = br_buf_text(&whole);
	columns = br_words_columns(name);
	if (columns <= BR_LABEL_COLUMNS) {
		br_buf_add_text(text, name);
		return;
	}

	const char *head_end = skip_columns(name, HEAD_COLUMNS);
	const char *tail = skip_columns(name, columns - TAIL_COLUMNS);

	br_buf_add(text, name, (size_t)(head_end - name));
	br_buf_add_text(text, "…");
	br_buf_add_text(text, tail);
}

static int compare_texts(const void *a, const void *b)
{
	const struct br_label *left = a;
	const struct br_label *right = b;

	return strcmp(left->text, right->text);
}

static int compare_stages(const void *a, const void *b)
{
	const struct br_label *left = a;
	const struct br_label *right = b;

	return strcmp(left->stage, right->stage);
}

static void make_whole(struct br_label *label)
{
	br_autobuf struct br_buf whole = { 0 };

	br_words_add_safe(&whole, br_str(label->stage));
	free(label->text);
	label->text = br_buf_take(&whole);
}

/* Labels that look the same stand side by side when they are sorted. */
static void tell_apart(struct br_labels *labels)
{
	size_t start = 0;

	qsort(labels->items, labels->count, sizeof(*labels->items),
		compare_texts);
	for (size_t i = 1; i <= labels->count; i++) {
		if (i < labels->count &&
			strcmp(labels->items[i].text,
				labels->items[start].text) == 0)
			continue;
		for (size_t k = start; i - start > 1 && k < i; k++)
			make_whole(&labels->items[k]);
		start = i;
	}
}

static void measure(struct br_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		size_t columns = br_words_columns(labels->items[i].text);

		if (columns > labels->columns && columns <= BR_LABEL_COLUMNS)
			labels->columns = columns;
	}
}

void br_labels_set(struct br_labels *labels, const struct br_names *names)
{
	br_labels_done(labels);
	if (names->count == 0)
		return;
	labels->items = br_alloc_array(names->count, sizeof(*labels->items));
	labels->count = names->count;
	for (size_t i = 0; i < names->count; i++) {
		br_autobuf struct br_buf text = { 0 };

		br_labels_add_short(&text, names->items[i]);
		labels->items[i] = (struct br_label){
			.stage = br_strdup(names->items[i]),
			.text = br_buf_take(&text),
			.index = i,
		};
	}
	tell_apart(labels);
	measure(labels);
	qsort(labels->items, labels->count, sizeof(*labels->items),
		compare_stages);
}

void br_labels_done(struct br_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		free(labels->items[i].stage);
		free(labels->items[i].text);
	}
	free(labels->items);
	*labels = (struct br_labels){ 0 };
}

static int compare_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct br_label *)item)->stage);
}

const struct br_label *br_labels_find(
	const struct br_labels *labels, const char *stage)
{
	if (labels->count == 0)
		return NULL;
	return bsearch(stage, labels->items, labels->count,
		sizeof(*labels->items), compare_name);
}
