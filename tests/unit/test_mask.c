/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: no fall from a node that has
 * no child for a byte; spans that are not merged; hold-back one byte too short;
 * `match_len` not taken over from `fail`; a skip one too long; base64 whose first
 * character at the second place is taken for known; base64 only with padding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/disguise.h"
#include "base/mask.h"

enum { VALUES_MAX = 8, FORMS_MAX = 2048 };

/* A small generator, so that a failure comes again (xorshift). */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void collect(void *ctx, struct br_str piece)
{
	assert_true(piece.len > 0);
	br_buf_add(ctx, piece.data, piece.len);
}

/* Mask `text`, cut at `cut` and at `cut + more`. */
static void mask_cut(const struct br_mask *mask, struct br_str text, size_t cut,
	size_t more, struct br_buf *masked)
{
	struct br_mask_stream stream = { 0 };

	br_mask_stream_init(&stream, mask);
	br_mask_feed(
		&stream, (struct br_str){ text.data, cut }, collect, masked);
	br_mask_feed(&stream, (struct br_str){ text.data + cut, more }, collect,
		masked);
	br_mask_feed(&stream,
		(struct br_str){
			text.data + cut + more, text.len - cut - more },
		collect, masked);
	br_mask_end(&stream, collect, masked);
	br_mask_stream_done(&stream);
}

/* Check `text` against what should come out, for every cut in two. */
static void assert_masked(
	const struct br_mask *mask, struct br_str text, struct br_str wanted)
{
	for (size_t cut = 0; cut <= text.len; cut++) {
		br_autobuf struct br_buf masked = { 0 };

		mask_cut(mask, text, cut, 0, &masked);
		assert_int_equal(masked.len, wanted.len);
		if (wanted.len > 0)
			assert_memory_equal(
				masked.data, wanted.data, wanted.len);
	}
}

/* The same with one secret. */
static void assert_one(const char *secret, const char *text, const char *wanted)
{
	struct br_str value = br_str(secret);
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&value, 1);

	assert_masked(mask, br_str(text), br_str(wanted));
}

static void masks_a_value_wherever_the_input_is_cut(void **state)
{
	(void)state;
	assert_one("hunter2", "user hunter2 logged in", "user *** logged in");
	assert_one("hunter2", "hunter2", "***");
	assert_one("hunter2", "hunter", "hunter");
	assert_one("hunter2", "hunhunter2", "hun***");
	assert_one("hunter2", "hunter2 hunter2", "*** ***");
	assert_one("hunter2", "", "");
}

static void masks_values_that_overlap_themselves(void **state)
{
	(void)state;
	assert_one("aab", "aaab", "a***");
	assert_one("aab", "aaaabaab!", "aa***!");
	assert_one("abab", "xabababy", "x***y");
	assert_one("aaaa", "aaaaaaa", "***");
}

static void masks_several_values_as_one_where_they_overlap(void **state)
{
	const struct br_str values[] = { br_str("abcd"), br_str("cdef"),
		br_str("bc") };
	br_auto(br_mask) struct br_mask *mask = br_mask_new(values, 3);

	(void)state;
	assert_masked(mask, br_str("xabcdefx"), br_str("x***x"));
	assert_masked(mask, br_str("xbcx"), br_str("x***x"));
	assert_masked(mask, br_str("abc"), br_str("a***"));
	assert_masked(mask, br_str("abcabcd"), br_str("a***"));
}

static void holds_back_only_what_may_become_a_secret(void **state)
{
	struct br_str value = br_str("hunter2");
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&value, 1);
	br_autobuf struct br_buf masked = { 0 };
	struct br_mask_stream stream = { 0 };

	(void)state;
	br_mask_stream_init(&stream, mask);
	br_mask_feed(&stream, br_str("password: hunt"), collect, &masked);
	assert_string_equal(br_buf_text(&masked), "password: ");
	br_mask_feed(&stream, br_str("h"), collect, &masked);
	assert_string_equal(br_buf_text(&masked), "password: hunt");
	br_mask_end(&stream, collect, &masked);
	assert_string_equal(br_buf_text(&masked), "password: hunth");

	/* It starts anew: what came before is no part of a value. */
	br_mask_feed(&stream, br_str("unter2"), collect, &masked);
	br_mask_end(&stream, collect, &masked);
	assert_string_equal(br_buf_text(&masked), "password: hunthunter2");
	br_mask_stream_done(&stream);
}

static void passes_everything_on_at_once_without_secrets(void **state)
{
	struct br_str empty = br_str("");
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&empty, 1);

	(void)state;
	assert_masked(mask, br_str("any text"), br_str("any text"));
	assert_masked(NULL, br_str("any text"), br_str("any text"));
}

static void masks_values_that_are_not_text(void **state)
{
	const struct br_str value = { "\0\xff\n\0", 4 };
	const struct br_str text = { "a\0\0\xff\n\0b", 7 };
	const struct br_str wanted = { "a\0***b", 6 };
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&value, 1);

	(void)state;
	assert_masked(mask, text, wanted);
}

static void masks_the_lines_of_a_value(void **state)
{
	(void)state;
	assert_one("first line\nsecond line\nend\n",
		"> first line\r\n> second line\n> end\n",
		"> ***\r\n> ***\n> end\n");
	assert_one("hunter2\n", "echo hunter2 ", "echo *** ");
}

/* What is left of the base64 of `before`, `secret` and `after`. */
static void assert_base64(const char *secret, const char *before,
	const char *after, const char *wanted)
{
	br_autobuf struct br_buf plain = { 0 };
	br_autobuf struct br_buf text = { 0 };

	br_buf_addf(&plain, "%s%s%s", before, secret, after);
	br_base64_encode(BR_BASE64_STANDARD, plain.data, plain.len, &text);
	assert_one(secret, text.data, wanted);
}

static void masks_base64_at_every_place_in_a_group(void **state)
{
	(void)state;
	/* Only characters that hold bits of a neighbour too are left. */
	assert_base64("hunter2", "", "", "***");
	assert_base64("hunter2", "", "!", "***iE=");
	assert_base64("hunter2", "x", "", "eG***");
	assert_base64("hunter2", "xx", "", "eHh***");
	assert_base64("hunter2", "xxx", "", "eHh4***");
	assert_base64("hunter2", "user:", "", "dXNlcjp***");
	assert_base64("hunter2", "user:", "\n", "dXNlcjp***Cg==");
}

static void masks_both_alphabets_and_missing_padding(void **state)
{
	(void)state;
	assert_one("p?ss~>>word", "[cD9zc34+PndvcmQ=]", "[***]");
	assert_one("p?ss~>>word", "[cD9zc34-PndvcmQ=]", "[***]");
	assert_one("p?ss~>>word", "[cD9zc34-PndvcmQ]", "[***]");
	assert_one("hunter2", "[aHVudGVyMg]", "[***]");
}

/* Say whether `text` has `len` characters in a row of the base64 of `secret`. */
static bool has_base64(struct br_str text, const char *secret, size_t len)
{
	for (size_t before = 0; before < 3; before++) {
		br_autobuf struct br_buf plain = { 0 };
		br_autobuf struct br_buf coded = { 0 };

		br_buf_addf(&plain, "%.*s%s", (int)before, "xx", secret);
		br_base64_encode(
			BR_BASE64_STANDARD, plain.data, plain.len, &coded);
		for (size_t at = 2 * before; at + len <= coded.len; at++)
			if (memmem(text.data, text.len, coded.data + at, len))
				return true;
	}
	return false;
}

static void masks_base64_that_is_cut_into_lines(void **state)
{
	static const char secret[] =
		"ghp_0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6A7B"
		"8C9D0E1F2G3H4I5J6K7L8M9N0O1P2Q3R4S5T6U7V8W9X0Y1Z";
	struct br_str value = br_str(secret);
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&value, 1);

	(void)state;
	/* As base64(1) and openssl(1) cut it, wherever the value is in it. */
	for (size_t width = 64; width <= 76; width += 12)
		for (int before = 0; before < 90; before++) {
			br_autobuf struct br_buf plain = { 0 };
			br_autobuf struct br_buf coded = { 0 };
			br_autobuf struct br_buf lines = { 0 };
			br_autobuf struct br_buf masked = { 0 };

			br_buf_addf(
				&plain, "%*s%s, and more", before, "", secret);
			br_base64_encode(BR_BASE64_STANDARD, plain.data,
				plain.len, &coded);
			for (size_t at = 0; at < coded.len; at += width)
				br_buf_addf(&lines, "%.*s\n", (int)width,
					coded.data + at);
			assert_true(has_base64(br_buf_str(&lines), secret, 6));
			br_mask_text(mask, br_buf_str(&lines), &masked);
			assert_false(
				has_base64(br_buf_str(&masked), secret, 6));
			/* What is behind it stays. */
			assert_string_equal(masked.data + masked.len - 8,
				lines.data + lines.len - 8);
		}
}

static void masks_what_urls_json_and_the_shell_make_of_it(void **state)
{
	(void)state;
	assert_one("a&b/c d\"'\n!", "q=a%26b%2Fc%20d%22%27%0A%21;", "q=***;");
	assert_one("a&b/c d\"'\n!", "q=a%26b%2fc%20d%22%27%0a%21;", "q=***;");
	assert_one("a&b/c d\"'\n!", "q=a%26b/c%20d%22%27%0A%21;", "q=***;");
	assert_one("a&b/c d\"'\n!", "{\"a&b/c d\\\"'\\n!\"}", "{\"***\"}");
	assert_one(
		"a&b/c d\"'\n!", "{\"a\\u0026b/c d\\\"'\\n!\"}", "{\"***\"}");
	assert_one("it's it", "+ echo 'it'\\''s it'", "+ echo '***'");
	assert_one("it's it", "+ echo 'it'\"'\"'s it'", "+ echo '***'");
}

static void takes_short_values_only_as_they_are(void **state)
{
	(void)state;
	assert_one("1", "v1.21", "v***.2***");
	assert_one("a&b", "a&b a%26b", "*** a%26b");
}

struct forms {
	struct br_arena arena;
	struct br_str items[FORMS_MAX];
	size_t count;
};

static void keep_form(void *ctx, struct br_str form)
{
	struct forms *forms = ctx;

	assert_true(forms->count < FORMS_MAX);
	forms->items[forms->count].data =
		br_arena_memdup(&forms->arena, form.data, form.len);
	forms->items[forms->count].len = form.len;
	forms->count++;
}

/* Mask by looking for every form at every place: slow, but plain. */
static void mask_naively(
	const struct forms *forms, struct br_str text, struct br_buf *masked)
{
	br_autofree bool *is_secret = br_alloc_array(text.len, 1);

	for (size_t at = 0; at < text.len; at++)
		for (size_t i = 0; i < forms->count; i++) {
			size_t len = forms->items[i].len;

			if (len <= text.len - at &&
				!memcmp(text.data + at, forms->items[i].data,
					len))
				memset(is_secret + at, 1, len);
		}
	for (size_t at = 0; at < text.len; at++) {
		if (!is_secret[at])
			br_buf_add_char(masked, text.data[at]);
		else if (at == 0 || !is_secret[at - 1])
			br_buf_add_text(masked, BR_MASK_TEXT);
	}
}

/* Random bytes of the first `letters` letters, with forms thrown in. */
static void make_text(uint32_t *random, unsigned letters,
	const struct forms *forms, struct br_buf *text)
{
	size_t pieces = next_random(random) % 12;

	for (size_t i = 0; i < pieces; i++) {
		if (next_random(random) % 2 == 0) {
			const struct br_str *form =
				&forms->items[next_random(random) %
					forms->count];
			size_t len = next_random(random) % (form->len + 1);

			br_buf_add(text, form->data, len);
		}
		for (size_t n = next_random(random) % 8; n > 0; n--)
			br_buf_add_char(text,
				(char)('a' + next_random(random) % letters));
	}
}

/* One set of values of a small alphabet, many texts, each cut in three. */
static void compare_with_naive(uint32_t *random)
{
	unsigned letters = 1 + next_random(random) % 4;
	size_t count = 1 + next_random(random) % 3;
	char bytes[VALUES_MAX][12];
	struct br_str values[VALUES_MAX];
	struct forms forms = { 0 };

	for (size_t i = 0; i < count; i++) {
		size_t len = 1 + next_random(random) % sizeof(bytes[i]);

		for (size_t at = 0; at < len; at++)
			bytes[i][at] =
				(char)('a' + next_random(random) % letters);
		values[i] = (struct br_str){ bytes[i], len };
		br_disguise_each(values[i], keep_form, &forms);
	}

	br_auto(br_mask) struct br_mask *mask = br_mask_new(values, count);
	for (int i = 0; i < 20; i++) {
		br_autobuf struct br_buf text = { 0 };
		br_autobuf struct br_buf wanted = { 0 };
		br_autobuf struct br_buf masked = { 0 };

		make_text(random, letters, &forms, &text);
		mask_naively(&forms, br_buf_str(&text), &wanted);

		size_t cut = next_random(random) % (text.len + 1);
		size_t more = next_random(random) % (text.len - cut + 1);
		mask_cut(mask, br_buf_str(&text), cut, more, &masked);
		assert_string_equal(br_buf_text(&masked), br_buf_text(&wanted));
	}
	br_arena_done(&forms.arena);
}

static void masks_as_a_search_for_every_form_at_every_place(void **state)
{
	uint32_t random = 20261121;

	(void)state;
	for (int i = 0; i < 500; i++)
		compare_with_naive(&random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_a_value_wherever_the_input_is_cut),
		cmocka_unit_test(masks_values_that_overlap_themselves),
		cmocka_unit_test(
			masks_several_values_as_one_where_they_overlap),
		cmocka_unit_test(holds_back_only_what_may_become_a_secret),
		cmocka_unit_test(passes_everything_on_at_once_without_secrets),
		cmocka_unit_test(masks_values_that_are_not_text),
		cmocka_unit_test(masks_the_lines_of_a_value),
		cmocka_unit_test(masks_base64_at_every_place_in_a_group),
		cmocka_unit_test(masks_both_alphabets_and_missing_padding),
		cmocka_unit_test(masks_base64_that_is_cut_into_lines),
		cmocka_unit_test(masks_what_urls_json_and_the_shell_make_of_it),
		cmocka_unit_test(takes_short_values_only_as_they_are),
		cmocka_unit_test(
			masks_as_a_search_for_every_form_at_every_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
