/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clean.h"

static void is_a_string_at_all_times(void **state)
{
	br_autobuf struct br_buf buf = { 0 };

	(void)state;
	assert_string_equal(br_buf_text(&buf), "");
	/* Room that nothing is written into, as where a read fails. */
	memset(br_buf_room(&buf, 100), 'x', 100);
	(void)br_buf_room(&buf, 100);
	assert_string_equal(br_buf_text(&buf), "");
	br_buf_add_text(&buf, "abc");
	memset(br_buf_room(&buf, 5000), 'x', 5000);
	(void)br_buf_room(&buf, 5000);
	assert_string_equal(br_buf_text(&buf), "abc");
	br_buf_drop(&buf, 2);
	assert_string_equal(br_buf_text(&buf), "c");
	br_buf_clear(&buf);
	assert_string_equal(br_buf_text(&buf), "");
}

static void counts_what_was_written_into_its_room(void **state)
{
	br_autobuf struct br_buf buf = { 0 };

	(void)state;
	br_buf_addf(&buf, "%s-%d", "a", 1);
	memcpy(br_buf_room(&buf, 10), "bytes and more", 10);
	br_buf_grew(&buf, 5);
	assert_int_equal(buf.len, 8);
	assert_string_equal(br_buf_text(&buf), "a-1bytes");
	br_buf_add(&buf, "\0z", 2);
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.data, "a-1bytes\0z", 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_a_string_at_all_times),
		cmocka_unit_test(counts_what_was_written_into_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
