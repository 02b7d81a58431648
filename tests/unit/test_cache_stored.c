/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/stored.h"

static void add_file(struct br_stored *result, const char *path, uint32_t mode)
{
	struct br_listed *file =
		br_listing_add(&result->outputs, path, BR_LISTED_FILE);

	file->mode = mode;
	file->facts.size_bytes = 7;
	memset(file->digest, 0xab, sizeof(file->digest));
}

static void add_link(
	struct br_stored *result, const char *path, const char *target)
{
	br_listing_add(&result->outputs, path, BR_LISTED_LINK)->target = target;
}

static void add_folder(struct br_stored *result, const char *path)
{
	struct br_listed *folder =
		br_listing_add(&result->outputs, path, BR_LISTED_FOLDER);

	folder->facts.size_bytes = 9;
	memset(folder->digest, 0xcd, sizeof(folder->digest));
}

static void check_refused(const struct br_stored *result, const char *why)
{
	br_autostored struct br_stored read = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	assert_true(br_stored_encode(result, &bytes, &err));
	assert_false(br_stored_decode(bytes.data, bytes.len, &read, &err));
	assert_int_equal(err.code, BR_EPROTO);
	assert_string_equal(err.text, why);
}

static void reads_what_it_has_written(void **state)
{
	br_autostored struct br_stored result = { .has_log = true };
	br_autostored struct br_stored read = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	(void)state;
	result.log_bytes = 123;
	result.log_digest[0] = 0x12;
	add_file(&result, "a/b", 0750);
	add_folder(&result, "a/empty");
	add_link(&result, "a/link", "../../anywhere");
	add_file(&result, "b", 0444);
	result.outputs.items[3].sum = UINT64_C(0xfedcba9876543210);
	assert_true(br_stored_encode(&result, &bytes, &err));
	assert_true(br_stored_decode(bytes.data, bytes.len, &read, &err));
	assert_true(read.has_log);
	assert_int_equal(read.log_bytes, 123);
	assert_memory_equal(read.log_digest, result.log_digest, BR_HASH_BYTES);
	assert_int_equal(read.outputs.count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct br_listed *wanted = &result.outputs.items[i];
		const struct br_listed *found = &read.outputs.items[i];

		assert_string_equal(found->path, wanted->path);
		assert_int_equal(found->kind, wanted->kind);
		assert_int_equal(found->mode, wanted->mode);
		assert_int_equal(
			found->facts.size_bytes, wanted->facts.size_bytes);
		assert_memory_equal(
			found->digest, wanted->digest, BR_HASH_BYTES);
		assert_true(found->sum == wanted->sum);
	}
	assert_string_equal(read.outputs.items[2].target, "../../anywhere");
}

static void writes_what_the_public_form_says(void **state)
{
	/* By hand from remote_execution.proto: one file, mode 0755. */
	static const char wanted[] =
		"\x12\x52" /* output_files */
		"\x0a\x01"
		"a"        /* path */
		"\x12\x44" /* digest */
		"\x0a\x40" /* hash */
		"abababababababababababababababababababababababababababababababab"
		"\x10\x07" /* size_bytes */
		"\x20\x01" /* is_executable */
		"\x3a\x05"
		"\x1a\x03"
		"\x08\xed\x03"; /* unix_mode */
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	(void)state;
	add_file(&result, "a", 0755);
	assert_true(br_stored_encode(&result, &bytes, &err));
	assert_int_equal(bytes.len, sizeof(wanted) - 1);
	assert_memory_equal(bytes.data, wanted, sizeof(wanted) - 1);
}

static void refuses_paths_that_may_not_be_written(void **state)
{
	static const char *const paths[] = { "", "/etc/passwd", "../a",
		"a/../../b", "a//b", "a/", ".git/hooks/post-checkout", NULL };

	(void)state;
	for (size_t i = 0; paths[i]; i++) {
		br_autostored struct br_stored file = { 0 };
		br_autostored struct br_stored link = { 0 };
		br_autostored struct br_stored folder = { 0 };

		add_file(&file, paths[i], 0644);
		add_link(&link, paths[i], "x");
		add_folder(&folder, paths[i]);
		check_refused(&file, "a stored result has an unsafe path");
		check_refused(&link, "a stored result has an unsafe path");
		check_refused(&folder, "a stored result has an unsafe path");
	}
}

static void refuses_what_lies_below_a_file_or_a_link(void **state)
{
	br_autostored struct br_stored link = { 0 };
	br_autostored struct br_stored twice = { 0 };
	br_autostored struct br_stored deep = { 0 };

	(void)state;
	add_link(&link, "a", "/etc");
	add_file(&link, "a-b", 0644);
	add_file(&link, "a/b", 0644);
	check_refused(&link,
		"a stored result has a path below one that is no folder");
	add_file(&deep, "a", 0644);
	add_file(&deep, "a/b/c/d", 0644);
	check_refused(&deep,
		"a stored result has a path below one that is no folder");
	add_file(&twice, "a", 0644);
	add_link(&twice, "a", "b");
	check_refused(&twice, "a stored result has a path twice");
}

static void drops_bits_that_give_rights(void **state)
{
	br_autostored struct br_stored result = { 0 };
	br_autostored struct br_stored read = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	(void)state;
	add_file(&result, "a", 06755);
	assert_true(br_stored_encode(&result, &bytes, &err));
	assert_true(br_stored_decode(bytes.data, bytes.len, &read, &err));
	assert_int_equal(read.outputs.items[0].mode, 0755);
}

static void says_which_name_is_not_utf8(void **state)
{
	br_autostored struct br_stored path = { 0 };
	br_autostored struct br_stored target = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	(void)state;
	add_file(&path, "a\xff", 0644);
	assert_false(br_stored_encode(&path, &bytes, &err));
	assert_int_equal(err.code, BR_EINPUT);
	add_link(&target, "a", "\xff");
	assert_false(br_stored_encode(&target, &bytes, &err));
	assert_string_equal(err.text,
		"the name of output 'a' is not UTF-8, so that it cannot be "
		"stored");
	assert_int_equal(bytes.len, 0);
}

static void keeps_the_mode_of_an_empty_folder(void **state)
{
	br_autobuf struct br_buf tree = { 0 };
	uint32_t mode = 0;
	struct br_err err = { 0 };

	(void)state;
	br_stored_encode_tree(0750, &tree);
	assert_true(br_stored_decode_tree(tree.data, tree.len, &mode, &err));
	assert_int_equal(mode, 0750);
	/* A Tree whose root has a file: field 1 of its Directory. */
	assert_false(br_stored_decode_tree("\x0a\x05\x0a\x03\x0a\x01"
					   "a",
		7, &mode, &err));
	assert_int_equal(err.code, BR_EPROTO);
}

static void refuses_what_is_no_result(void **state)
{
	br_autostored struct br_stored read = { 0 };
	struct br_err err = { 0 };

	(void)state;
	/* A length that goes beyond the end; a file without a digest; a status. */
	assert_false(br_stored_decode("\x12\x50\x0a", 3, &read, &err));
	assert_false(br_stored_decode("\x12\x03\x0a\x01"
				      "a",
		5, &read, &err));
	assert_string_equal(
		err.text, "a stored result has a file without a digest");
	assert_false(br_stored_decode("\x20\x01", 2, &read, &err));
	/* Nothing at all is a result without outputs. */
	assert_true(br_stored_decode("", 0, &read, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_has_written),
		cmocka_unit_test(writes_what_the_public_form_says),
		cmocka_unit_test(refuses_paths_that_may_not_be_written),
		cmocka_unit_test(refuses_what_lies_below_a_file_or_a_link),
		cmocka_unit_test(drops_bits_that_give_rights),
		cmocka_unit_test(says_which_name_is_not_utf8),
		cmocka_unit_test(keeps_the_mode_of_an_empty_folder),
		cmocka_unit_test(refuses_what_is_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
