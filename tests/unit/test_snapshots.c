/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/snapshots.h"

enum { NOW_S = 1000000, WEEK_MS = 7 * 24 * 3600 * 1000 };
static const int64_t day_s = INT64_C(24) * 3600;

/* char[]: the struct owns its texts where it is not a test's. */
static char id[] = "sha256:1";
static char older[] = "buildr-prepare:a";
static char newer[] = "buildr-prepare:b";
static char third[] = "localhost/buildr-prepare:c";
static char mine[] = "mine";
static char other[] = "other";
static char project[] = "/p";

static struct br_snapshot snapshot(
	char *name, char *identity, int64_t age_s, int64_t left_s)
{
	return (struct br_snapshot){
		.id = id,
		.name = name,
		.identity = identity,
		.project = project,
		.created_s = NOW_S - age_s,
		.expires_s = NOW_S + left_s,
	};
}

static const struct br_snapshot_wish wish = {
	.identity = mine,
	.project_label = project,
	.kept_ms = WEEK_MS,
	.now_s = NOW_S,
};

/* The name of what is found; else the reason why there is none. */
static const char *find(struct br_snapshot *list, size_t count,
	const struct br_snapshot_wish *wanted)
{
	const struct br_snapshots snapshots = { list, count, count };
	const char *why = "";
	const struct br_snapshot *found =
		br_snapshots_find(&snapshots, wanted, &why);

	return found ? found->name : why;
}

static void finds_the_newest_of_its_identity(void **state)
{
	struct br_snapshot list[] = {
		snapshot(older, mine, 2 * day_s, 5 * day_s),
		snapshot(newer, mine, day_s, 6 * day_s),
		snapshot(third, other, 0, 7 * day_s),
	};

	(void)state;
	assert_string_equal(find(list, 3, &wish), newer);
	assert_string_equal(find(list, 1, &wish), older);
	/* Of the same second. */
	list[0].created_s = list[1].created_s;
	assert_string_equal(find(list, 3, &wish), newer);
}

static void says_why_there_is_none(void **state)
{
	struct br_snapshot list[] = { snapshot(older, other, 0, day_s) };
	struct br_snapshot_wish elsewhere = wish;

	(void)state;
	elsewhere.project_label = "/elsewhere";
	assert_string_equal(
		find(NULL, 0, &wish), "the engine has no image of it");
	assert_string_equal(
		find(list, 1, &elsewhere), "the engine has no image of it");
	assert_string_equal(find(list, 1, &wish),
		"the engine has an image of another script, image or "
		"environment");
}

static void takes_none_that_is_too_old(void **state)
{
	struct br_snapshot list[] = { snapshot(older, mine, 2 * day_s, 1) };
	struct br_snapshot_wish shorter = wish;

	(void)state;
	assert_string_equal(find(list, 1, &wish), older);
	/* The manifest kept it longer when it was made. */
	shorter.kept_ms = 2 * day_s * 1000;
	assert_string_equal(
		find(list, 1, &shorter), "the image of it is too old");
	list[0].expires_s = NOW_S;
	assert_string_equal(find(list, 1, &wish), "the image of it is too old");
}

/* An engine that only removes. */
struct fake {
	struct br_engine engine;
	char removed[256];
	/* Used by a container, and what fails. */
	const char *used;
	const char *broken;
};

static bool remove_snapshot(struct br_engine *engine, const char *name,
	bool *is_gone, struct br_err *err)
{
	struct fake *fake = (struct fake *)engine;

	if (fake->broken && !strcmp(name, fake->broken))
		return br_fail(err, BR_EUNAVAIL, "it is broken");
	*is_gone = !fake->used || strcmp(name, fake->used) != 0;
	if (*is_gone) {
		(void)strncat(fake->removed, name,
			sizeof(fake->removed) - strlen(fake->removed) - 1);
		(void)strncat(fake->removed, " ",
			sizeof(fake->removed) - strlen(fake->removed) - 1);
	}
	return true;
}

static const struct br_engine_ops ops = { .remove_snapshot = remove_snapshot };

static void removes_what_is_over_and_what_has_a_newer_one(void **state)
{
	struct br_snapshot list[] = {
		snapshot(older, mine, day_s, day_s),
		snapshot(newer, mine, 0, day_s),
		snapshot(third, other, day_s, 0),
	};
	const struct br_snapshots snapshots = { list, 3, 3 };
	struct fake fake = { .engine = { .ops = &ops } };
	size_t count = 0;
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_snapshots_prune(
		&fake.engine, &snapshots, NOW_S, NULL, &count, &err));
	assert_string_equal(
		fake.removed, "buildr-prepare:a localhost/buildr-prepare:c ");
	assert_int_equal(count, 2);

	/* What was made a moment ago for less than a moment. */
	fake = (struct fake){ .engine = { .ops = &ops }, .used = older };
	assert_true(br_snapshots_prune(
		&fake.engine, &snapshots, NOW_S, "c", &count, &err));
	assert_string_equal(fake.removed, "");
	assert_int_equal(count, 0);
}

static void one_that_does_not_go_keeps_none_of_the_others(void **state)
{
	struct br_snapshot list[] = {
		snapshot(older, mine, day_s, 0),
		snapshot(third, other, day_s, 0),
	};
	const struct br_snapshots snapshots = { list, 2, 2 };
	struct fake fake = { .engine = { .ops = &ops }, .broken = older };
	size_t count = 0;
	struct br_err err = { 0 };

	(void)state;
	assert_false(br_snapshots_prune(
		&fake.engine, &snapshots, NOW_S, NULL, &count, &err));
	assert_string_equal(err.text, "it is broken");
	assert_string_equal(fake.removed, "localhost/buildr-prepare:c ");
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_newest_of_its_identity),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test(takes_none_that_is_too_old),
		cmocka_unit_test(removes_what_is_over_and_what_has_a_newer_one),
		cmocka_unit_test(one_that_does_not_go_keeps_none_of_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
