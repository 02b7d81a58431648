/* SPDX-License-Identifier: MIT */
/* What belongs together (batch.h), and who has changed it (products.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "watch/products.h"

/* A project, and what changed in it. */
struct project {
	char *top;
	struct br_products products;
	struct br_batch batch;
	struct br_paths found;
};

static void write_file(
	struct project *project, const char *path, const char *text)
{
	folder_write(project->top, path, 0600, text);
	br_batch_add(&project->batch, BR_WATCH_MADE, path, 0);
}

static void remove_file(struct project *project, const char *path)
{
	br_autofree char *whole = br_path_join(project->top, path);

	assert_int_equal(remove(whole), 0);
	br_batch_add(&project->batch, BR_WATCH_GONE, path, 0);
}

/* The user has changed what is in the batch, and a build starts. */
static void build(struct project *project)
{
	br_products_note(&project->products, project->top, &project->batch);
	br_batch_done(&project->batch);
}

/* The build ends, and what it or anybody has written is in the batch. */
static void judge(struct project *project, const char *next, const char *found)
{
	const struct br_paths *paths = &project->batch.index.paths;

	br_products_judge(&project->products, project->top, &project->batch,
		&project->found);
	assert_int_equal(br_batch_is_empty(&project->batch), next == NULL);
	if (next)
		assert_string_equal(paths->items[0], next);
	assert_int_equal(project->found.count, found ? 1 : 0);
	if (found)
		assert_string_equal(project->found.items[0], found);
	br_batch_done(&project->batch);
	br_paths_done(&project->found);
}

static int set_up(void **state)
{
	struct project *project = br_alloc(sizeof(*project));

	project->top = folder_make();
	*state = project;
	return 0;
}

static int tear_down(void **state)
{
	struct project *project = *state;

	folder_remove(project->top);
	br_products_done(&project->products);
	br_batch_done(&project->batch);
	free(project);
	return 0;
}

static void waits_until_it_has_been_quiet(void **state)
{
	struct br_batch batch = { 0 };

	(void)state;
	assert_int_equal(br_batch_wait_ms(&batch, 1000), -1);
	br_batch_add(&batch, BR_WATCH_CHANGED, "a", 1000);
	assert_int_equal(br_batch_wait_ms(&batch, 1000), BR_BATCH_QUIET_MS);
	br_batch_add(&batch, BR_WATCH_CHANGED, "a", 1100);
	assert_int_equal(
		br_batch_wait_ms(&batch, 1150), BR_BATCH_QUIET_MS - 50);
	assert_int_equal(br_batch_wait_ms(&batch, 1100 + BR_BATCH_QUIET_MS), 0);
	assert_int_equal(batch.index.paths.count, 1);
	br_batch_done(&batch);
}

static void does_not_wait_for_ever(void **state)
{
	struct br_batch batch = { 0 };
	int64_t now_ms = 0;

	(void)state;
	do {
		now_ms += BR_BATCH_QUIET_MS / 2;
		br_batch_add(&batch, BR_WATCH_CHANGED, "a", now_ms);
	} while (br_batch_wait_ms(&batch, now_ms) > 0);
	assert_in_range(now_ms, BR_BATCH_MOST_MS, 2 * BR_BATCH_MOST_MS);
	br_batch_done(&batch);
}

static void keeps_what_came_first_of_many_paths(void **state)
{
	struct br_batch batch = { 0 };
	bool is_dropped[1000] = { false };
	char path[16];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(path, sizeof(path), "%d", i % 1000);
		br_batch_add(&batch, i < 500 ? BR_WATCH_MADE : BR_WATCH_CHANGED,
			path, 0);
	}
	assert_int_equal(batch.index.paths.count, 1000);
	is_dropped[0] = true;
	br_batch_drop(&batch, is_dropped);
	assert_int_equal(batch.index.paths.count, 999);
	for (size_t i = 0; i < 999; i++)
		assert_int_equal(batch.is_made[i], i < 499);
	assert_false(batch.is_lost);
	br_batch_add(&batch, BR_WATCH_LOST, "", 0);
	assert_int_equal(batch.index.paths.count, 999);
	assert_true(batch.is_lost);
	br_batch_done(&batch);
}

static void what_the_user_changes_during_a_build_starts_one_more(void **state)
{
	struct project *project = *state;

	write_file(project, "src/a.c", "1");
	build(project);
	write_file(project, "src/a.c", "2");
	judge(project, "src/a.c", NULL);
	/* During that nothing, and later again something. */
	judge(project, NULL, NULL);
	write_file(project, "src/a.c", "3");
	build(project);
	write_file(project, "src/a.c", "4");
	judge(project, "src/a.c", NULL);
}

static void what_each_build_writes_starts_no_more_builds(void **state)
{
	struct project *project = *state;

	write_file(project, "out", "1");
	judge(project, "out", NULL);
	write_file(project, "out", "1");
	judge(project, NULL, "out");
	/* From now on it may be different. */
	write_file(project, "src/a.c", "1");
	build(project);
	write_file(project, "out", "2");
	judge(project, NULL, NULL);
	remove_file(project, "out");
	judge(project, NULL, NULL);
}

static void what_is_made_and_removed_again_is_nothing(void **state)
{
	struct project *project = *state;

	write_file(project, "temporary", "1");
	remove_file(project, "temporary");
	judge(project, NULL, NULL);
}

static void builds_do_not_start_each_other_for_ever(void **state)
{
	struct project *project = *state;

	/* Another content each time; then another name each time. */
	write_file(project, "log", "1");
	judge(project, "log", NULL);
	write_file(project, "log", "2");
	judge(project, "log", NULL);
	write_file(project, "log", "3");
	judge(project, NULL, "log");
	write_file(project, "log", "4");
	write_file(project, "reports/1", "1");
	judge(project, "reports/1", NULL);
	write_file(project, "reports/2", "1");
	judge(project, "reports/2", NULL);
	write_file(project, "reports/3", "1");
	judge(project, NULL, "reports/");
	write_file(project, "reports/4", "1");
	write_file(project, "log", "5");
	judge(project, NULL, NULL);
	/* That says nothing of other files. */
	write_file(project, "src/a.c", "1");
	judge(project, "src/a.c", NULL);
}

static void many_changes_do_not_start_builds_for_ever(void **state)
{
	struct project *project = *state;

	for (int i = 0; i < BR_PRODUCTS_CHAIN; i++) {
		br_batch_add(&project->batch, BR_WATCH_LOST, "", 0);
		br_products_judge(&project->products, project->top,
			&project->batch, &project->found);
		assert_true(project->batch.is_lost);
		br_batch_done(&project->batch);
	}
	for (int i = 0; i < 2; i++) {
		br_batch_add(&project->batch, BR_WATCH_LOST, "", 0);
		judge(project, NULL, NULL);
	}
}

static void a_product_that_the_user_changes_is_the_users(void **state)
{
	struct project *project = *state;

	write_file(project, "version", "1");
	judge(project, "version", NULL);
	write_file(project, "version", "1");
	judge(project, NULL, "version");
	write_file(project, "version", "2");
	build(project);
	write_file(project, "version", "3");
	judge(project, "version", NULL);
}

#define IN_PROJECT(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_until_it_has_been_quiet),
		cmocka_unit_test(does_not_wait_for_ever),
		cmocka_unit_test(keeps_what_came_first_of_many_paths),
		IN_PROJECT(
			what_the_user_changes_during_a_build_starts_one_more),
		IN_PROJECT(what_each_build_writes_starts_no_more_builds),
		IN_PROJECT(what_is_made_and_removed_again_is_nothing),
		IN_PROJECT(builds_do_not_start_each_other_for_ever),
		IN_PROJECT(many_changes_do_not_start_builds_for_ever),
		IN_PROJECT(a_product_that_the_user_changes_is_the_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
