/* SPDX-License-Identifier: MIT */
/* Whether tar itself can read it, the engine suite shows (copy_in). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/tar.h"

/* The checksum as POSIX says it: the header's bytes, its own field as blanks. */
static long checksum_of(const char *header)
{
	long sum = 0;

	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)header[i];
	return sum;
}

static void assert_header(
	const char *header, const char *name, char type, long size)
{
	assert_string_equal(header, name);
	assert_string_equal(header + 100, "0000755");
	assert_int_equal(strtol(header + 124, NULL, 8), size);
	assert_int_equal(strtol(header + 148, NULL, 8), checksum_of(header));
	assert_int_equal(header[156], type);
	assert_string_equal(header + 257, "ustar");
}

static void holds_the_folders_and_the_file(void **state)
{
	br_autobuf struct br_buf archive = { 0 };
	struct br_err err = { 0 };
	char content[513];

	(void)state;
	memset(content, 'x', sizeof(content));
	assert_true(br_tar_build(
		"/a/b/init", content, sizeof(content), &archive, &err));
	/* Three headers, two blocks of content, two of zeros. */
	assert_int_equal(archive.len, 7 * 512);
	assert_header(archive.data, "a/", '5', 0);
	assert_header(archive.data + 512, "a/b/", '5', 0);
	assert_header(archive.data + 1024, "a/b/init", '0', 513);
	assert_memory_equal(archive.data + 1536, content, sizeof(content));
	for (size_t i = 1536 + sizeof(content); i < archive.len; i++)
		assert_int_equal(archive.data[i], 0);
}

static void refuses_a_path_that_it_cannot_hold(void **state)
{
	static const char *const paths[] = { "", "/", "a", "//a", "/a/" };
	br_autobuf struct br_buf archive = { 0 };
	struct br_err err = { 0 };
	char path[102];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_false(br_tar_build(paths[i], "", 0, &archive, &err));
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[101] = '\0';
	assert_false(br_tar_build(path, "", 0, &archive, &err));
	assert_int_equal(err.code, BR_EINPUT);
	path[100] = '\0';
	assert_true(br_tar_build(path, "", 0, &archive, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_the_folders_and_the_file),
		cmocka_unit_test(refuses_a_path_that_it_cannot_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
