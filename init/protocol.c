/* SPDX-License-Identifier: MIT */
#include "init/protocol.h"

/* Frames other than a stage and output are a few numbers and a path. */
enum { SMALL_MAX_BYTES = 64 * 1024 };

static uint32_t read_le32(const uint8_t bytes[4])
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
		(uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void write_le32(uint32_t number, uint8_t bytes[4])
{
	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
}

/* The limit of a type; false for one that the protocol does not have. */
static bool find_limit(uint8_t type, uint32_t *limit)
{
	switch ((enum br_frame_type)type) {
	case BR_FRAME_OUTPUT:
		*limit = BR_OUTPUT_MAX_BYTES;
		return true;
	case BR_FRAME_STAGE:
		*limit = BR_FRAME_MAX_BYTES;
		return true;
	case BR_FRAME_INPUT:
		*limit = BR_INPUT_WINDOW_BYTES;
		return true;
	case BR_FRAME_HELLO:
	case BR_FRAME_STEP_STARTED:
	case BR_FRAME_STEP_FINISHED:
	case BR_FRAME_STAGE_FINISHED:
	case BR_FRAME_ENDED:
	case BR_FRAME_SET_UP:
	case BR_FRAME_INPUT_TAKEN:
	case BR_FRAME_SETUP:
	case BR_FRAME_STOP:
	case BR_FRAME_PING:
	case BR_FRAME_END:
	case BR_FRAME_LEAVE:
	case BR_FRAME_RESIZE:
	case BR_FRAME_KEEP:
		*limit = SMALL_MAX_BYTES;
		return true;
	}
	return false;
}

void br_frame_encode(
	const struct br_frame *frame, uint8_t header[BR_FRAME_HEADER_BYTES])
{
	header[0] = (uint8_t)frame->type;
	header[1] = frame->stream;
	header[2] = (uint8_t)frame->stage;
	header[3] = (uint8_t)(frame->stage >> 8);
	write_le32(frame->len, header + 4);
}

bool br_frame_decode(
	const uint8_t header[BR_FRAME_HEADER_BYTES], struct br_frame *frame)
{
	uint32_t len = read_le32(header + 4);
	uint32_t limit;

	if (!find_limit(header[0], &limit) || len > limit)
		return false;
	frame->type = (enum br_frame_type)header[0];
	frame->stream = header[1];
	frame->stage = (uint16_t)(header[2] | header[3] << 8);
	frame->len = len;
	return true;
}

void br_field_encode(
	uint8_t tag, uint32_t len, uint8_t header[BR_FIELD_HEADER_BYTES])
{
	header[0] = tag;
	write_le32(len, header + 1);
}

bool br_field_next(const uint8_t **at, const uint8_t *end,
	struct br_field *field, bool *is_bad)
{
	size_t left = (size_t)(end - *at);

	*is_bad = false;
	if (left == 0)
		return false;

	uint32_t len = left < BR_FIELD_HEADER_BYTES ? 0 : read_le32(*at + 1);
	if (left < BR_FIELD_HEADER_BYTES ||
		len > left - BR_FIELD_HEADER_BYTES) {
		*is_bad = true;
		return false;
	}
	field->tag = (*at)[0];
	field->value = *at + BR_FIELD_HEADER_BYTES;
	field->len = len;
	*at = field->value + len;
	return true;
}

bool br_field_number(const struct br_field *field, uint64_t *number)
{
	if (field->len != 8)
		return false;
	*number = (uint64_t)read_le32(field->value) |
		(uint64_t)read_le32(field->value + 4) << 32;
	return true;
}

void br_number_encode(uint64_t number, uint8_t bytes[8])
{
	write_le32((uint32_t)number, bytes);
	write_le32((uint32_t)(number >> 32), bytes + 4);
}
