/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/history.h"
#include "cache/images.h"
#include "cache/store.h"
#include "cached.h"

static void remembers_what_a_stage_was(void **state)
{
	const struct cached *cached = *state;
	static const uint8_t identity[BR_HASH_BYTES] = { 1, 2 };
	br_autohistory struct br_history history = { 0 };
	struct br_err err = { 0 };

	assert_true(br_history_save(cached->store, "/home/a\nb", "test",
		identity, br_str("buildr-key 1\nstep x 1\n"), &err));
	assert_true(br_history_load(
		cached->store, "/home/a\nb", "test", &history, &err));
	assert_memory_equal(history.identity, identity, BR_HASH_BYTES);
	assert_string_equal(history.project, "/home/a\\012b");
	assert_string_equal(history.stage, "test");
	assert_string_equal(
		br_buf_text(&history.record), "buildr-key 1\nstep x 1\n");
	assert_true(history.written_ns > 0);
	br_history_done(&history);
	assert_false(br_history_load(
		cached->store, "/home/a", "test", &history, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_string_equal(
		err.text, "nothing is known of an earlier run of stage 'test'");
}

static void note(void *ctx, const struct br_history *history)
{
	size_t *sum = ctx;

	*sum += history->identity[0];
}

static void tells_every_stage_until_it_is_forgotten(void **state)
{
	const struct cached *cached = *state;
	struct br_err err = { 0 };
	size_t sum = 0;

	br_history_each(cached->store, note, &sum);
	assert_int_equal(sum, 0);
	for (size_t i = 0; i < 4; i++) {
		uint8_t identity[BR_HASH_BYTES] = { (uint8_t)(1U << i) };

		/* The last two are one stage. */
		assert_true(br_history_save(cached->store, i < 2 ? "/a" : "/b",
			i == 1 ? "y" : "x", identity, br_str(""), &err));
	}
	br_history_each(cached->store, note, &sum);
	assert_int_equal(sum, 1 + 2 + 8);
	br_history_forget(cached->store, "/a", "x");
	sum = 0;
	br_history_each(cached->store, note, &sum);
	assert_int_equal(sum, 2 + 8);
}

static void remembers_what_an_image_was_on_an_engine(void **state)
{
	const struct cached *cached = *state;
	br_autofree char *digest = NULL;
	struct br_err err = { 0 };

	assert_false(br_images_find(
		cached->store, "unix:///a", "alpine:3", &digest));
	assert_true(br_images_save(
		cached->store, "unix:///a", "alpine:3", "sha256:12", &err));
	assert_true(br_images_save(
		cached->store, "unix:///a", "alpine:3", "sha256:34", &err));
	assert_true(br_images_find(
		cached->store, "unix:///a", "alpine:3", &digest));
	assert_string_equal(digest, "sha256:34");
	assert_false(br_images_find(
		cached->store, "unix:///b", "alpine:3", &digest));
	assert_false(br_images_find(
		cached->store, "unix:///a", "alpine:2", &digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CACHED_TEST(remembers_what_a_stage_was),
		CACHED_TEST(remembers_what_an_image_was_on_an_engine),
		CACHED_TEST(tells_every_stage_until_it_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
