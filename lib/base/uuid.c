/* SPDX-License-Identifier: MIT */
#include "base/uuid.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

bool br_uuid_make(char text[BR_UUID_TEXT_BYTES], struct br_err *err)
{
	uint8_t id[16];

	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return br_fail_errno(err, "get random bytes");

	/* 48 bits of milliseconds, big-endian, then version and variant. */
	uint64_t now_ms = (uint64_t)br_clock_wall_us() / 1000;
	for (size_t i = 0; i < 6; i++)
		id[i] = (uint8_t)(now_ms >> (40 - 8 * i));
	id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));

	char *at = text;
	for (size_t i = 0; i < sizeof(id); i++) {
		bool is_after_dash = i == 4 || i == 6 || i == 8 || i == 10;

		at += snprintf(
			at, 4, "%s%02x", is_after_dash ? "-" : "", id[i]);
	}
	return true;
}

bool br_uuid_is_valid(const char *text)
{
	if (strlen(text) != BR_UUID_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; text[i] != '\0'; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text[i] != '-'
			    : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}
