/* SPDX-License-Identifier: MIT */
/*
 * The bugs that these tests were seen to catch: an ingredient left out of the hash, a
 * mode left out, lists joined without ends, names without escapes, no order, the name
 * of a needed stage in the identity, a secret hashed without its key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/key.h"
#include "cache/listing.h"
#include "cache/record.h"

/* What a stage is made of, for tests: one of each, to be changed one by one. */
struct sample {
	const char *image;
	const char *user;
	const char *shell[3];
	const char *steps[3];
	const char *variable_name;
	const char *variable;
	const char *secret;
	uint8_t secret_key[BR_HASH_BYTES];
	const char *need_name;
	uint8_t need[BR_HASH_BYTES];
	const char *output;
	const char *path;
	const char *target;
	uint32_t mode;
	uint8_t content;
	bool is_reversed;
};

static struct sample sample(void)
{
	return (struct sample){
		.image = "sha256:1234",
		.user = "0",
		.shell = { "sh", "-x" },
		.steps = { "make", "make test" },
		.variable_name = "LANG",
		.variable = "C",
		.secret = "hunter2",
		.secret_key = { 1 },
		.need_name = "build",
		.need = { 7 },
		.output = "target/",
		.path = "src/a.c",
		.target = "a.c",
		.mode = 0644,
		.content = 1,
	};
}

static void add_variables(struct br_cache_key *key, const struct sample *from)
{
	const char *const names[] = { from->variable_name, "PATH" };

	for (size_t i = 0; i < 2; i++) {
		size_t at = from->is_reversed ? 1 - i : i;

		br_cache_key_add(key, BR_INGREDIENT_VARIABLE, names[at],
			br_str(at == 0 ? from->variable : "/bin"));
	}
}

static void add_needs(struct br_cache_key *key, const struct sample *from)
{
	static const uint8_t other[BR_HASH_BYTES] = { 5 };

	if (from->is_reversed)
		br_cache_key_add_need(key, "lint", other);
	br_cache_key_add_need(key, from->need_name, from->need);
	if (!from->is_reversed)
		br_cache_key_add_need(key, "lint", other);
}

static void add_files(struct br_cache_key *key, const struct sample *from)
{
	br_autolisting struct br_listing listing = { 0 };
	struct br_listed *file =
		br_listing_add(&listing, from->path, BR_LISTED_FILE);

	file->mode = from->mode;
	file->digest[0] = from->content;
	br_listing_add(&listing, "src/link", BR_LISTED_LINK)->target =
		from->target;
	br_cache_key_add_listing(key, &listing);
}

static void fill(struct br_cache_key *key, const struct sample *from)
{
	if (from->is_reversed)
		add_files(key, from);
	br_cache_key_add(key, BR_INGREDIENT_IMAGE, "-", br_str(from->image));
	br_cache_key_add(
		key, BR_INGREDIENT_SETTING, "user", br_str(from->user));
	br_cache_key_add_list(key, BR_INGREDIENT_SHELL, "1", from->shell);
	for (size_t i = 0; from->steps[i]; i++)
		br_cache_key_add(key, BR_INGREDIENT_STEP, i ? "2" : "1",
			br_str(from->steps[i]));
	add_variables(key, from);
	br_cache_key_add_keyed(key, BR_INGREDIENT_SECRET, "TOKEN",
		br_str(from->secret), from->secret_key);
	add_needs(key, from);
	br_cache_key_add(key, BR_INGREDIENT_OUTPUT, from->output, br_str(""));
	if (!from->is_reversed)
		add_files(key, from);
}

static void identify(const struct sample *from, uint8_t identity[BR_HASH_BYTES])
{
	br_autokey struct br_cache_key key = { 0 };

	fill(&key, from);
	br_cache_key_end(&key, identity);
}

static bool is_same(const struct sample *a, const struct sample *b)
{
	uint8_t left[BR_HASH_BYTES];
	uint8_t right[BR_HASH_BYTES];

	identify(a, left);
	identify(b, right);
	return memcmp(left, right, BR_HASH_BYTES) == 0;
}

static void is_the_same_whatever_the_order_and_the_names_of_stages(void **state)
{
	struct sample one = sample();
	struct sample other = sample();

	(void)state;
	other.is_reversed = true;
	other.need_name = "compile";
	assert_true(is_same(&one, &other));
}

static void changes_with_every_ingredient(void **state)
{
	const struct sample one = sample();
	struct sample others[18];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 18; i++)
		others[i] = one;
	others[count++].image = "sha256:1235";
	others[count++].user = "1";
	others[count++].shell[1] = NULL;
	others[count].shell[0] = "sh-x";
	others[count++].shell[1] = "";
	others[count++].steps[0] = "make ";
	others[count++].steps[1] = NULL;
	others[count].steps[0] = one.steps[1];
	others[count++].steps[1] = one.steps[0];
	others[count++].variable_name = "LANGUAGE";
	others[count++].variable = "";
	others[count++].secret = "hunter3";
	others[count++].secret_key[31] = 1;
	others[count++].need[31] = 1;
	others[count++].output = "target";
	others[count++].path = "src/b.c";
	others[count++].mode = 0755;
	others[count++].mode = 0640;
	others[count++].content = 2;
	others[count++].target = "b.c";
	assert_int_equal(count, 18);
	for (size_t i = 0; i < count; i++)
		if (is_same(&one, &others[i]))
			fail_msg("change %zu makes no difference", i);
}

static void is_the_hash_of_its_canonical_form(void **state)
{
	static const char text[] =
		"buildr-key 1\n"
		/* printf abc | sha256sum */
		"image ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
		"f20015ad -\n"
		"need 050000000000000000000000000000000000000000000000000000000"
		"0000000 -\n"
		"file 0644:0100000000000000000000000000000000000000000000000000"
		"000000000000 a\\012b\\134\n";
	br_autokey struct br_cache_key key = { 0 };
	br_autolisting struct br_listing listing = { 0 };
	struct br_listed *file =
		br_listing_add(&listing, "a\nb\\", BR_LISTED_FILE);
	static const uint8_t need[BR_HASH_BYTES] = { 5 };
	uint8_t wanted[BR_HASH_BYTES];
	uint8_t identity[BR_HASH_BYTES];

	(void)state;
	file->mode = 0644;
	file->digest[0] = 1;
	br_cache_key_add_listing(&key, &listing);
	br_cache_key_add(&key, BR_INGREDIENT_IMAGE, "-", br_str("abc"));
	br_cache_key_add_need(&key, "build", need);
	br_cache_key_end(&key, identity);
	br_hash_bytes(text, sizeof(text) - 1, wanted);
	assert_memory_equal(identity, wanted, BR_HASH_BYTES);
}

static void has_no_value_in_its_record(void **state)
{
	struct sample from = sample();
	br_autokey struct br_cache_key key = { 0 };
	br_autobuf struct br_buf record = { 0 };
	uint8_t plain[BR_HASH_BYTES];
	char hex[BR_HASH_TEXT_BYTES];

	(void)state;
	fill(&key, &from);
	br_cache_key_record(&key, &record);
	assert_null(strstr(record.data, "hunter2"));
	assert_null(strstr(record.data, "/bin"));
	/* Nor what anybody could find it from. */
	br_hash_bytes("hunter2", 7, plain);
	br_hash_format(plain, hex);
	assert_null(strstr(record.data, hex));
	assert_non_null(strstr(record.data, " TOKEN\n"));
	assert_non_null(strstr(record.data, " build\n"));
}

static void note(void *ctx, const struct br_difference *difference)
{
	static const char marks[] = { '+', '-', '~', 'm' };

	br_buf_addf(ctx, "%c%.*s:%.*s ", marks[difference->kind],
		(int)difference->ingredient.len, difference->ingredient.data,
		(int)difference->name.len, difference->name.data);
}

static void check_differences(const struct sample *before,
	const struct sample *after, const char *wanted)
{
	br_autokey struct br_cache_key left = { 0 };
	br_autokey struct br_cache_key right = { 0 };
	br_autobuf struct br_buf old = { 0 };
	br_autobuf struct br_buf new = { 0 };
	br_autobuf struct br_buf differences = { 0 };
	struct br_err err = { 0 };

	fill(&left, before);
	fill(&right, after);
	br_cache_key_record(&left, &old);
	br_cache_key_record(&right, &new);
	assert_true(br_record_compare(
		br_buf_str(&old), br_buf_str(&new), note, &differences, &err));
	assert_string_equal(br_buf_text(&differences), wanted);
}

static void tells_what_differs_between_two_records(void **state)
{
	struct sample before = sample();
	struct sample after = sample();

	(void)state;
	check_differences(&before, &after, "");
	after.variable = "POSIX";
	after.secret = "hunter3";
	after.need[3] = 1;
	after.mode = 0755;
	check_differences(&before, &after,
		"~variable:LANG ~secret:TOKEN ~need:build mfile:src/a.c ");
	after = sample();
	after.path = "src/b.c";
	after.steps[1] = NULL;
	after.variable_name = "TERM";
	check_differences(&before, &after,
		"-step:2 -variable:LANG +variable:TERM -file:src/a.c "
		"+file:src/b.c ");
}

/* A stage with `count` steps, of which the last is `text`. */
static void record_steps(int count, const char *text, struct br_buf *record)
{
	br_autokey struct br_cache_key key = { 0 };

	for (int i = 1; i <= count; i++) {
		br_autofree char *number = br_format("%d", i);

		br_cache_key_add(&key, BR_INGREDIENT_STEP, number,
			br_str(i == count ? text : "true"));
	}
	br_cache_key_record(&key, record);
}

static void tells_steps_apart_by_their_number(void **state)
{
	br_autobuf struct br_buf old = { 0 };
	br_autobuf struct br_buf new = { 0 };
	br_autobuf struct br_buf differences = { 0 };
	struct br_err err = { 0 };

	(void)state;
	record_steps(11, "old", &old);
	record_steps(12, "new", &new);
	assert_true(br_record_compare(
		br_buf_str(&old), br_buf_str(&new), note, &differences, &err));
	assert_string_equal(br_buf_text(&differences), "~step:11 +step:12 ");
}

static void refuses_what_is_no_record(void **state)
{
	static const char good[] = "buildr-key 1\n";
	static const char *const bad[] = { "", "buildr-key 2\n", "buildr-key 1",
		"buildr-key 1\nfile\n", "buildr-key 1\nfile 12 a\n",
		"buildr-key 1\nx", NULL };

	(void)state;
	for (size_t i = 0; bad[i]; i++) {
		br_autobuf struct br_buf differences = { 0 };
		struct br_err err = { 0 };

		assert_false(br_record_compare(br_str(bad[i]), br_str(good),
			note, &differences, &err));
		assert_int_equal(err.code, BR_EINPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			is_the_same_whatever_the_order_and_the_names_of_stages),
		cmocka_unit_test(changes_with_every_ingredient),
		cmocka_unit_test(is_the_hash_of_its_canonical_form),
		cmocka_unit_test(has_no_value_in_its_record),
		cmocka_unit_test(tells_what_differs_between_two_records),
		cmocka_unit_test(tells_steps_apart_by_their_number),
		cmocka_unit_test(refuses_what_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
