/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/protocol.h"

static void gives_a_header_back_as_it_was(void **state)
{
	const struct br_frame frames[] = {
		{ .type = BR_FRAME_HELLO, .len = 13 },
		{ .type = BR_FRAME_OUTPUT,
			.stream = 1,
			.stage = 0xabcd,
			.len = BR_OUTPUT_MAX_BYTES },
		{ .type = BR_FRAME_STAGE,
			.stage = 1,
			.len = BR_FRAME_MAX_BYTES },
		{ .type = BR_FRAME_END },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		uint8_t header[BR_FRAME_HEADER_BYTES];
		struct br_frame frame = { 0 };

		br_frame_encode(&frames[i], header);
		assert_true(br_frame_decode(header, &frame));
		assert_int_equal(frame.type, frames[i].type);
		assert_int_equal(frame.stream, frames[i].stream);
		assert_int_equal(frame.stage, frames[i].stage);
		assert_int_equal(frame.len, frames[i].len);
	}
}

static void writes_a_header_as_the_protocol_says(void **state)
{
	static const uint8_t expected[BR_FRAME_HEADER_BYTES] = { 3, 1, 0x34,
		0x12, 0x04, 0x03, 0x02, 0x00 };
	uint8_t header[BR_FRAME_HEADER_BYTES];

	(void)state;
	br_frame_encode(&(struct br_frame){ .type = BR_FRAME_OUTPUT,
				.stream = 1,
				.stage = 0x1234,
				.len = 0x020304 },
		header);
	assert_memory_equal(header, expected, sizeof(expected));
}

static void refuses_a_header_that_is_none(void **state)
{
	/* A type that there is not, and lengths over the type's limit. */
	static const uint8_t bad[][BR_FRAME_HEADER_BYTES] = {
		{ 0 },
		{ 200 },
		{ BR_FRAME_HELLO, 0, 0, 0, 1, 0, 1, 0 },
		{ BR_FRAME_OUTPUT, 0, 1, 0, 1, 0, 0x10, 0 },
		{ BR_FRAME_STAGE, 0, 1, 0, 1, 0, 0x80, 0 },
		{ BR_FRAME_END, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
	};
	struct br_frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(br_frame_decode(bad[i], &frame));
}

static void reads_the_fields_of_a_payload_in_order(void **state)
{
	static const uint8_t payload[] = { 7, 2, 0, 0, 0, 'h', 'i', 8, 0, 0, 0,
		0, 9, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	const uint8_t *at = payload;
	const uint8_t *end = payload + sizeof(payload);
	struct br_field field;
	uint64_t number = 0;
	bool is_bad = true;

	(void)state;
	assert_true(br_field_next(&at, end, &field, &is_bad));
	assert_int_equal(field.tag, 7);
	assert_int_equal(field.len, 2);
	assert_memory_equal(field.value, "hi", 2);
	assert_false(br_field_number(&field, &number));
	assert_true(br_field_next(&at, end, &field, &is_bad));
	assert_int_equal(field.tag, 8);
	assert_int_equal(field.len, 0);
	assert_true(br_field_next(&at, end, &field, &is_bad));
	assert_true(br_field_number(&field, &number));
	assert_true(number == UINT64_C(0x0807060504030201));
	assert_false(br_field_next(&at, end, &field, &is_bad));
	assert_false(is_bad);
}

static void finds_a_field_that_does_not_fit(void **state)
{
	static const uint8_t payload[] = { 7, 3, 0, 0, 0, 'h', 'i' };
	struct br_field field;

	(void)state;
	/* Cut anywhere, it is bad; empty, it is just over. */
	for (size_t len = 0; len <= sizeof(payload); len++) {
		const uint8_t *at = payload;
		bool is_bad = false;

		assert_false(
			br_field_next(&at, payload + len, &field, &is_bad));
		assert_int_equal(is_bad, len > 0);
	}
}

static void writes_numbers_that_it_reads(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 255, 256, UINT32_MAX,
		UINT64_C(1) << 32, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint8_t bytes[8];
		const struct br_field field = { .value = bytes, .len = 8 };
		uint64_t number = 0;

		br_number_encode(numbers[i], bytes);
		assert_true(br_field_number(&field, &number));
		assert_true(number == numbers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_header_back_as_it_was),
		cmocka_unit_test(writes_a_header_as_the_protocol_says),
		cmocka_unit_test(refuses_a_header_that_is_none),
		cmocka_unit_test(reads_the_fields_of_a_payload_in_order),
		cmocka_unit_test(finds_a_field_that_does_not_fit),
		cmocka_unit_test(writes_numbers_that_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
