/* SPDX-License-Identifier: MIT */
/* talk.h - what the halves of talk share. */
#pragma once

#include "base/buf.h"
#include "broker/broker.h"

/* Many messages at once, to be published or taken; `count` is 0 where none are. */
struct many {
	unsigned channel;
	char exchange[256];
	char key[256];
	struct br_buf body;
	uint64_t count;
	uint64_t done;
	uint64_t confirmed;
	/* Which of them are, by tag: confirms come in any order. */
	bool *is_confirmed;
	int64_t started_us;
};

struct talk {
	struct br_broker *broker;
	struct many flood;
	struct many drain;
	bool is_over;
};

/* A byte of the body `*LEN`. */
static inline char talk_pattern(size_t i)
{
	return (char)('a' + i % 23);
}

/* Name a code: `OK`, `EINPUT`. */
const char *talk_code(enum br_code code);

/* Give a word as it is printed: `-` for an empty one. */
const char *talk_word(const char *text);

/* Read a number; 0 where it is none. */
int64_t talk_number(const char *text);

/* Run one command, which is cut into its words. */
void talk_run(struct talk *talk, char *line);
