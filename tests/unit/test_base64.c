/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

/* RFC 4648, section 10. */
static const char *const vectors[][2] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void encodes_and_decodes_what_the_rfc_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		br_autobuf struct br_buf text = { 0 };
		br_autobuf struct br_buf data = { 0 };
		struct br_err err = { 0 };

		br_base64_encode(BR_BASE64_STANDARD, vectors[i][0],
			strlen(vectors[i][0]), &text);
		assert_string_equal(br_buf_text(&text), vectors[i][1]);
		assert_true(br_base64_decode(
			br_buf_text(&text), text.len, &data, &err));
		assert_string_equal(br_buf_text(&data), vectors[i][0]);
	}
}

static void knows_both_alphabets(void **state)
{
	static const char data[] = "p?ss~>>\xff";
	br_autobuf struct br_buf standard = { 0 };
	br_autobuf struct br_buf url = { 0 };

	(void)state;
	br_base64_encode(BR_BASE64_STANDARD, data, 8, &standard);
	br_base64_encode(BR_BASE64_URL, data, 8, &url);
	assert_string_equal(br_buf_text(&standard), "cD9zc34+Pv8=");
	assert_string_equal(br_buf_text(&url), "cD9zc34-Pv8=");
}

static void gives_every_byte_back(void **state)
{
	char bytes[257];
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf back = { 0 };
	struct br_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	br_base64_encode(BR_BASE64_STANDARD, bytes, sizeof(bytes), &text);
	assert_true(
		br_base64_decode(br_buf_text(&text), text.len, &back, &err));
	assert_int_equal(back.len, sizeof(bytes));
	assert_memory_equal(back.data, bytes, sizeof(bytes));
}

static void takes_missing_padding_and_refuses_all_else(void **state)
{
	static const char *const bad[] = { "Z", "Zm9vY", "Zm 9", "Zm9v\n",
		"Zg===", "=Zg=", "Zm9-", "\xc3\xa4==" };
	br_autobuf struct br_buf data = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_base64_decode("Zm9vYg", 6, &data, &err));
	assert_string_equal(br_buf_text(&data), "foob");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct br_err){ 0 };
		if (br_base64_decode(bad[i], strlen(bad[i]), &data, &err))
			fail_msg("takes '%s'", bad[i]);
		assert_int_equal(err.code, BR_EINPUT);
	}
	assert_string_equal(br_buf_text(&data), "foob");
	assert_false(br_base64_decode("Zg\0g", 4, &data, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_and_decodes_what_the_rfc_lists),
		cmocka_unit_test(knows_both_alphabets),
		cmocka_unit_test(gives_every_byte_back),
		cmocka_unit_test(takes_missing_padding_and_refuses_all_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
