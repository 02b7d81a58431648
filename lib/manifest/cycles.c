/* SPDX-License-Identifier: MIT */
#include "manifest/cycles.h"

#include "base/alloc.h"

/* Longer paths are shown by their ends. */
enum { PATH_SHOWN = 12 };

/* A stage on the way from where the search started, and its next edge. */
struct step {
	size_t stage;
	size_t next;
};

struct search {
	struct br_reader *reader;
	const struct br_cycle_graph *graph;
	struct step *path;
	size_t path_len;
	/* For each stage: 0 not seen, else where on the path, or DONE. */
	size_t *positions;
	/* For each stage that is done: one that it needs can fail. */
	bool *can_see_failure;
	bool has_cycle;
};

#define DONE SIZE_MAX

static const struct br_stage *stage_at(const struct search *search, size_t i)
{
	return &search->reader->manifest->stages[search->path[i].stage];
}

/* The edge that leads on from a stage of the path is the one before `next`. */
static struct br_place edge_place(const struct search *search, size_t i)
{
	const struct step *step = &search->path[i];
	const size_t *edge = stage_at(search, i)->need_indexes + step->next - 1;

	return search->graph->places[edge - search->graph->indexes];
}

static void format_path(
	const struct search *search, size_t first, struct br_buf *text)
{
	static const char arrow[] = " \xe2\x86\x92 ";
	size_t count = search->path_len - first;

	for (size_t i = 0; i < count; i++) {
		if (count > PATH_SHOWN && i == PATH_SHOWN / 2) {
			br_buf_addf(text, "...%s", arrow);
			i = count - PATH_SHOWN / 2;
		}
		br_buf_addf(
			text, "%s%s", stage_at(search, first + i)->name, arrow);
	}
	br_buf_add_text(text, stage_at(search, first)->name);
}

/*
 * Report the cycle from `first` to the end of the path and back. Its place is
 * the last name in it that the file gives: what a stage needs by default only
 * leads back in `stages`, so that there is one. Only stages with nothing but
 * such a need are passed over, and each by one cycle.
 */
static void report_cycle(struct search *search, size_t first)
{
	br_autobuf struct br_buf path = { 0 };
	br_autofree char *help = NULL;
	size_t at = search->path_len - 1;
	const struct br_stage *last = stage_at(search, at);

	search->has_cycle = true;
	if (!last->has_needs)
		help = br_format("'%s' has no 'needs', so that it needs '%s', "
				 "which 'stages' lists before it",
			last->name, stage_at(search, first)->name);
	while (at > first && edge_place(search, at).line == 0)
		at--;
	format_path(search, first, &path);
	br_diags_add(search->reader->diags, BR_SEVERITY_ERROR,
		edge_place(search, at), help, "stage '%s' needs itself: %s",
		stage_at(search, first)->name, br_buf_text(&path));
}

static void enter(struct search *search, size_t stage)
{
	search->path[search->path_len++] = (struct step){ .stage = stage };
	search->positions[stage] = search->path_len;
}

/* Say whether `stage`, or one that it needs, can fail so that others see it. */
static bool can_fail(const struct search *search, size_t stage)
{
	return search->can_see_failure[stage] ||
		!search->reader->manifest->stages[stage].allow_failure.is_any;
}

static void leave(struct search *search)
{
	size_t stage = search->path[--search->path_len].stage;
	const struct br_stage *left = &search->reader->manifest->stages[stage];

	search->positions[stage] = DONE;
	for (size_t i = 0; i < left->need_count; i++)
		if (can_fail(search, left->need_indexes[i]))
			search->can_see_failure[stage] = true;
}

/* Depth first, with a path of its own instead of recursion. */
static void search_from(struct search *search, size_t start)
{
	enter(search, start);
	while (search->path_len > 0) {
		struct step *step = &search->path[search->path_len - 1];
		const struct br_stage *stage =
			stage_at(search, search->path_len - 1);

		if (step->next == stage->need_count) {
			leave(search);
			continue;
		}

		size_t needed = stage->need_indexes[step->next++];
		size_t position = search->positions[needed];
		if (position == 0)
			enter(search, needed);
		else if (position != DONE)
			report_cycle(search, position - 1);
	}
}

static void check_status(const struct search *search)
{
	const struct br_manifest *manifest = search->reader->manifest;

	for (size_t i = 0; i < manifest->stage_count; i++) {
		const struct br_stage *stage = &manifest->stages[i];

		if (stage->when.status != BR_WHEN_FAILURE ||
			search->can_see_failure[i])
			continue;
		br_diags_add(search->reader->diags, BR_SEVERITY_ERROR,
			stage->when.place,
			"'needs' names the stages whose failure it waits for",
			"stage '%s' never runs: its 'when' has 'status: "
			"failure', and it needs no stage that could fail",
			stage->name);
	}
}

void br_cycles_check(struct br_reader *reader,
	const struct br_cycle_graph *graph, bool is_all_known)
{
	size_t count = reader->manifest->stage_count;
	br_autofree struct step *path = br_alloc_array(count, sizeof(*path));
	br_autofree size_t *positions =
		br_alloc_array(count, sizeof(*positions));
	br_autofree bool *can_see_failure =
		br_alloc_array(count, sizeof(*can_see_failure));
	struct search search = {
		.reader = reader,
		.graph = graph,
		.path = path,
		.positions = positions,
		.can_see_failure = can_see_failure,
	};

	for (size_t i = 0; i < count; i++)
		if (positions[i] == 0)
			search_from(&search, i);
	if (is_all_known && !search.has_cycle)
		check_status(&search);
}
